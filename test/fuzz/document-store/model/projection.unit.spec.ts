import { expect } from 'chai';
import { docFromJson, toJson } from '../json.js';
import { checkProjection, project } from './projection.js';
import { Refusal } from './values.js';

/** The inventory of tutorial/project-fields-from-query-results/ and what the page shows of it. */
const journal = {
  _id: 1,
  item: 'journal',
  status: 'A',
  size: { h: 14, w: 21, uom: 'cm' },
  instock: [
    { warehouse: 'A', qty: 5 },
    { warehouse: 'B', qty: 15 },
  ],
};

const examples: readonly (readonly [object, object])[] = [
  [
    { item: 1, status: 1 },
    { _id: 1, item: 'journal', status: 'A' },
  ],
  [
    { item: 1, status: 1, _id: 0 },
    { item: 'journal', status: 'A' },
  ],
  [
    { status: 0, instock: 0 },
    { _id: 1, item: 'journal', size: { h: 14, w: 21, uom: 'cm' } },
  ],
  [
    { item: 1, 'size.uom': 1 },
    { _id: 1, item: 'journal', size: { uom: 'cm' } },
  ],
  [
    { item: 1, size: { uom: 1 } },
    { _id: 1, item: 'journal', size: { uom: 'cm' } },
  ],
  [
    { 'size.uom': 0, instock: 0 },
    { _id: 1, item: 'journal', status: 'A', size: { h: 14, w: 21 } },
  ],
  [
    { item: 1, 'instock.qty': 1 },
    { _id: 1, item: 'journal', instock: [{ qty: 5 }, { qty: 15 }] },
  ],
  [{ _id: 1 }, { _id: 1 }],
  [{ 'item.x': 1 }, { _id: 1 }],
];

describe("the model's projection", () => {
  it('shows what tutorial/project-fields-from-query-results/ shows', () => {
    for (const [projection, shown] of examples) {
      const result = project(docFromJson(journal), docFromJson(projection));
      expect(JSON.stringify(toJson(result)), JSON.stringify(projection)).to.equal(JSON.stringify(shown));
    }
  });

  it('goes into nested arrays, of which an inclusion keeps documents and arrays alone', () => {
    const doc = docFromJson({ _id: 1, a: [1, { b: 1, c: 2 }, [{ b: 3, c: 4 }, 5], {}] });
    const shown = (projection: object) => toJson(project(doc, docFromJson(projection)));
    expect(shown({ 'a.b': 1 })).to.deep.equal({ _id: 1, a: [{ b: 1 }, [{ b: 3 }], {}] });
    expect(shown({ 'a.b': 0 })).to.deep.equal({ _id: 1, a: [1, { c: 2 }, [{ c: 4 }, 5], {}] });
  });

  it('refuses what cannot be combined', () => {
    const refused: [number, object][] = [
      [31254, { a: 1, b: 0 }],
      [31253, { a: 0, b: 1 }],
      [31249, { a: 1, 'a.b': 1 }],
      [31250, { 'a.b': 1, a: 1 }],
    ];
    for (const [code, projection] of refused) {
      expect(() => checkProjection(docFromJson(projection)))
        .to.throw(Refusal)
        .with.property('code', code);
    }
  });
});
