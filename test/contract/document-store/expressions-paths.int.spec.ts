import { Binary, type Document } from 'mongodb';
import { describeTargets } from './document-store-targets.js';
import { date, describeFamilies, type Families } from './expression-cases.js';
import { missing, refused } from './pipeline-cases.js';

const families: Families = {
  'literals, paths and variables': {
    $literal: [
      [{ $literal: '$i' }, '$i'],
      [{ $literal: { $add: [1, 2] } }, { $add: [1, 2] } as Document],
    ],
    $let: [
      [{ $let: { vars: { x: '$i', y: 3 }, in: { $multiply: ['$$x', '$$y'] } } }, 21],
      [{ $let: { vars: { x: 1 }, in: '$$y' } }, refused],
    ],
    paths: [
      ['$o.q.r', 2],
      ['$objects.k', ['a', 'b', 'c']],
      ['$objects.v', [1, 2]],
      ['$i.p', missing],
      ['$list.0', []],
      [
        ['$i', '$none', 'text'],
        [7, null, 'text'],
      ],
      [
        { a: '$i', b: { c: '$none', d: '$t' } },
        { a: 7, b: { d: 'Text' } },
      ],
    ],
    variables: [
      ['$$ROOT.o.p', 1],
      ['$$CURRENT.i', 7],
      ['$$REMOVE', missing],
      ['$$noSuchVariable', refused],
    ],
    constants: [
      ['text', 'text'],
      [new Binary(Buffer.from([1])), new Binary(Buffer.from([1]))],
      [date, date],
      [null, null],
    ],
  },
};

describeTargets('expressions of paths and variables', (target) => describeFamilies(target, families));
