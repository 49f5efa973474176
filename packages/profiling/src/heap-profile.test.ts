import { expect } from 'chai';
import { Profile } from 'pprof-format';
import { encodeHeapProfile, type SampledHeap, type SampledHeapNode } from './heap-profile.js';
import { readStacks } from './testing/read-stacks.js';

function node(id: number, functionName: string, selfSize: number, children: SampledHeapNode[] = []): SampledHeapNode {
  const url = functionName.startsWith('(') ? '' : 'node:internal/streams';
  return { id, callFrame: { functionName, url, lineNumber: url === '' ? -1 : 4 }, selfSize, children };
}

describe('heap profiles for pprof', () => {
  const heap: SampledHeap = {
    head: node(1, '(root)', 500, [node(2, 'outer', 0, [node(3, 'inner', 4096.4)])]),
    samples: [
      { nodeId: 3, size: 2048 },
      { nodeId: 3, size: 2048 },
      { nodeId: 1, size: 500 },
    ],
  };

  it('have the bytes of each stack, and those of V8 itself', () => {
    const decoded = Profile.decode(encodeHeapProfile(heap, 'inuse', 32_768, 0, 10_000));
    expect(readStacks(decoded)).to.deep.equal([
      { stack: ['(root) :0'], values: [1, 500] },
      {
        stack: [
          'inner node:internal/streams node:internal/streams:5',
          'outer node:internal/streams node:internal/streams:5',
        ],
        values: [2, 4096],
      },
    ]);
    const { strings } = decoded.stringTable;
    expect(strings).to.include.members(['inuse_samples', 'inuse_space', 'bytes']);
    expect(strings.join()).to.contain('still in use at its end');
  });

  it('say when they are about all that was allocated', () => {
    const { strings } = Profile.decode(encodeHeapProfile(heap, 'alloc', 32_768, 0, 10_000)).stringTable;
    expect(strings).to.include('alloc_space').and.not.include('inuse_space');
  });
});
