import { expect } from 'chai';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { RouterRig } from '../testing/router-rig.js';
import { WORLD } from './testing/world-rules.js';

describe('rules of the first kind', () => {
  function policy(json: unknown): Readonly<Record<string, string>> {
    return { 'router.yaml': `servicecomb.darklaunch.policy.world: '${JSON.stringify(json)}'\n` };
  }

  it('split calls by rate', async () => {
    const ruleItems = [
      { groupName: 's0', groupCondition: 'version=1.0,2.0', policyCondition: '50' },
      { groupName: 's1', groupCondition: 'version=10.0', policyCondition: '50' },
    ];
    const rig = await RouterRig.make(policy({ policyType: 'RATE', ruleItems }), WORLD);
    expect(rig.spread(8)).to.deep.equal({ one: 2, two: 2, ten: 4 });
  });

  const conditions: readonly (readonly [condition: string, value: string | undefined, matches: boolean])[] = [
    ['user_id=x', 'x', true],
    ['user_id=x', 'X', false],
    ['user_id!=x', 'y', true],
    ['user_id!=x', undefined, true],
    ['user_id>5', '6', true],
    ['user_id>=5', '5', true],
    ['user_id<5', '5', false],
    ['user_id<=5', '5', true],
    ['user_id~^a', 'abc', true],
    ['user_id~^a', undefined, false],
  ];
  for (const [policyCondition, value, matches] of conditions) {
    it(`${policyCondition} ${matches ? 'matches' : 'does not match'} ${value ?? 'a call without the field'}`, async () => {
      const ruleItems = [{ groupCondition: 'version=2.0', policyCondition }];
      const rig = await RouterRig.make(policy({ policyType: 'RULE', ruleItems }), WORLD);
      const headers: Record<string, string> = value === undefined ? {} : { 'User-Id': value };
      expect(rig.send({ headers }).call.subset?.name === 'version=2.0').to.equal(matches);
    });
  }

  it('are refused when they cannot be meant', async () => {
    const item = { groupCondition: 'version=1', policyCondition: '70' };
    const tooMuch = await loadFiles({ ...NAMED, ...policy({ policyType: 'RATE', ruleItems: [item, item] }) });
    expect(tooMuch.said(tooMuch.errors)[0]).to.contain('add up to 140');
    const noCondition = await loadFiles({ ...NAMED, ...policy({ policyType: 'RULE', ruleItems: [item] }) });
    expect(noCondition.said(noCondition.errors)[0]).to.contain("'70' is no condition");
    const wrong = [
      ['user~(', 'regular expression'],
      ['user~(?=x)', 'look-around'],
      ['age>old', "'old', which is no number"],
      ['age<=', 'no number'],
    ] as const;
    for (const [policyCondition, said] of wrong) {
      const ruleItems = [{ groupCondition: 'version=1', policyCondition }];
      const { errors, said: texts } = await loadFiles({ ...NAMED, ...policy({ policyType: 'RULE', ruleItems }) });
      expect(texts(errors)[0], policyCondition).to.contain(said);
    }
  });
});
