/** Cases of writes that once disagreed: what was wrong and the case. */
export const writes: readonly (readonly [what: string, found: object])[] = [
  [
    'a renamed field kept the type of the target that it was equal to',
    {
      docs: [{ _id: 'id-1', a: 0, d: { $numberDouble: '-0.0' } }],
      indexes: [],
      operation: { kind: 'update', statements: [{ q: {}, u: { $rename: { d: 'a' } } }] },
    },
  ],
  [
    'the model renamed a field to a name with a null character',
    {
      docs: [],
      indexes: [],
      operation: { kind: 'update', statements: [{ q: {}, u: { $rename: { 'c.0.0': 'a\0' } } }] },
    },
  ],
];
