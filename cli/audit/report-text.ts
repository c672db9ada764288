import type { AuditReport } from './audit.js';
import type { Finding } from './finding.js';

function countsOf({ counts }: Finding): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** The audit as a person reads it: a line an invariant, its first violation below it. */
export function reportText(report: AuditReport): string {
  const lines = report.findings.flatMap((finding) => {
    const { id, holds, violations, first, notes } = finding;
    const verdict = violations === 0 ? 'holds' : `VIOLATED ${violations} times`;
    return [
      `${id.padEnd(4)}${verdict}: ${holds}`,
      `    ${countsOf(finding)}`,
      ...(first === undefined ? [] : [`    first: ${first.where}: expected ${first.expected}; seen: ${first.seen}`]),
      ...summary(notes).map((note) => `    note: ${note}`),
    ];
  });
  const hindrances = report.hindrances.map((hindrance) => `not shown: ${hindrance}`);
  return [...lines, ...hindrances].join('\n');
}

function summary(notes: readonly string[]): readonly string[] {
  const most = 5;
  return notes.length <= most ? notes : [...notes.slice(0, most), `and ${notes.length - most} more`];
}

/** What is not as it must be, a sentence an invariant; empty where the audit is clean. */
export function complaintsOf({ findings, hindrances }: AuditReport): string[] {
  const broken = findings.flatMap(({ id, violations, first }) =>
    first === undefined
      ? []
      : [`${id}, ${violations} times, first: ${first.where}: expected ${first.expected}; seen: ${first.seen}`],
  );
  return [...broken, ...hindrances];
}
