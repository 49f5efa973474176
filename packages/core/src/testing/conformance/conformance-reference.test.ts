import { expect } from 'chai';
import { renderConformanceReference } from './conformance-reference.js';
import { readTopic } from './read-topic.js';

describe('the reference page of the conformance table', () => {
  it('has a heading and a sentence for each topic, and a line for each case', () => {
    const topic = readTopic(
      't',
      `about: What it is.
cases:
  - { name: A * of a case, refused: x }
  - { name: Another, refused: x, hosts: [sidecar], because: it must }
`,
    );
    const page = renderConformanceReference([topic]);
    expect(page).to.match(/, in 2 sentences/);
    expect(page).to.match(/## t\n\nWhat it is\.\n\n- A \\\* of a case\n- Another \(sidecar only: it must\)\n$/);
  });
});
