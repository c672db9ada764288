import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

/** A source of the repository: its path from the root, with `/`, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Something that a file names in an import or re-export, static or dynamic, of values or of types. */
export interface Import {
  readonly line: number;
  /** A source's path from the root, a package's name, or `node:` and the name of one of Node's modules. */
  readonly target: string;
  readonly kind: 'source' | 'package' | 'node';
  readonly typesOnly: boolean;
}

/** A use of something that gives another answer each time or belongs to the platform. */
export interface Impurity {
  readonly line: number;
  readonly what: string;
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  readonly impurities: readonly Impurity[];
}

const platformGlobals = new Set([
  'Buffer',
  'console',
  'crypto',
  'fetch',
  'global',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);

/** What a source imports and which impure things it touches, each with its line. */
export function factsOf({ path, text }: Source): SourceFacts {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const imports: Import[] = [];
  const impurities: Impurity[] = [];
  const declared = new Set<string>();
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const addImport = (node: ts.Node, specifier: ts.Node | undefined, typesOnly: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    imports.push({ line: lineOf(node), ...targetOf(path, specifier.text), typesOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) addImport(node, node.moduleSpecifier, importsTypesOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) addImport(node, node.moduleSpecifier, exportsTypesOnly(node));
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      addImport(node, node.moduleReference.expression, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      addImport(node, node.argument.literal, true);
    } else if (ts.isCallExpression(node) && callsForModule(node.expression)) {
      addImport(node, node.arguments[0], false);
    }
    if (isDeclaration(node) && node.name !== undefined && ts.isIdentifier(node.name)) declared.add(node.name.text);
    const what = impurityOf(node);
    if (what !== undefined) impurities.push({ line: lineOf(node), what });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { imports, impurities: impurities.filter(({ what }) => !declared.has(what)) };
}

function targetOf(path: string, specifier: string): { target: string; kind: Import['kind'] } {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
    return { target, kind: 'source' };
  }
  if (isBuiltin(specifier)) return { target: `node:${specifier.replace(/^node:/, '')}`, kind: 'node' };
  const parts = specifier.split('/');
  return { target: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), kind: 'package' };
}

function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function exportsTypesOnly(node: ts.ExportDeclaration): boolean {
  if (node.isTypeOnly) return true;
  const { exportClause } = node;
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false;
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly);
}

function callsForModule(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

function isDeclaration(
  node: ts.Node,
): node is
  | ts.VariableDeclaration
  | ts.ParameterDeclaration
  | ts.BindingElement
  | ts.FunctionDeclaration
  | ts.ImportSpecifier
  | ts.ImportClause {
  return (
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isBindingElement(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isImportSpecifier(node) ||
    ts.isImportClause(node)
  );
}

function impurityOf(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || !isUse(node)) return undefined;
  if (platformGlobals.has(node.text)) return node.text;
  const { parent } = node;
  const member = ts.isPropertyAccessExpression(parent) ? parent.name.text : undefined;
  if (node.text === 'Math') return member === undefined || member === 'random' ? `Math.${member ?? '…'}` : undefined;
  if (node.text !== 'Date' || member === 'parse' || member === 'UTC') return undefined;
  if (member !== undefined) return `Date.${member}`;
  if (ts.isNewExpression(parent)) return (parent.arguments ?? []).length === 0 ? 'new Date()' : undefined;
  return ts.isBinaryExpression(parent) && parent.right === node ? undefined : 'Date()';
}

/** Whether an identifier stands for a variable's value, and not for a property, a type's member or a label. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  return (
    ts.isExpression(parent) ||
    ts.isStatement(parent) ||
    (ts.isVariableDeclaration(parent) && parent.initializer === node)
  );
}
