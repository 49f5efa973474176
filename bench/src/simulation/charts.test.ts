import { expect } from 'chai';
import fc from 'fast-check';
import { drawBars, drawLines } from './charts.js';
import { linearScale, logScale } from './scale.js';

describe('the scale of an axis', () => {
  it('that is linear begins at 0 and holds every value, with a handful of round ticks', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (most) => {
        const { ticks, at } = linearScale(most);
        expect(ticks[0]).to.equal(0);
        expect(ticks.length).to.be.within(3, 7);
        expect(at(most)).to.be.within(0.4, 1 + 1e-9);
      }),
    );
  });

  it('that is logarithmic holds every value, the least one near its beginning', () => {
    const value = fc.double({ min: 1e-2, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(value, value, (one, other) => {
        fc.pre(Math.max(one, other) / Math.min(one, other) > 1.5);
        const { ticks, at } = logScale(Math.min(one, other), Math.max(one, other));
        expect([...ticks].sort((a, b) => a - b)).to.deep.equal(ticks);
        for (const each of [one, other]) expect(at(each)).to.be.within(-1e-9, 1 + 1e-9);
      }),
    );
  });
});

describe('a picture', () => {
  const bars = drawBars({
    title: 'Two < three',
    text: 'words',
    axis: 'ms',
    series: ['a', 'b'],
    rows: [
      { label: 'first', values: [1, 20] },
      { label: 'second', values: [0, 5] },
    ],
    show: String,
  });
  const lines = drawLines({
    title: 'Lines',
    text: 'words',
    xAxis: 's',
    yAxis: 'ms',
    series: [
      {
        name: 'one',
        points: [
          [0, 1],
          [1, 50],
          [2, 10],
        ] as const,
      },
    ],
    mark: { x: 1, text: 'here' },
  });

  it('says in words what is to be seen, and escapes what is no markup', () => {
    expect(bars).to.include('<title id="title">Two &lt; three</title>').and.to.include('first: 1, 20; second: 0, 5');
    expect(lines).to.include('one at most 50');
  });

  it('draws nothing outside of its frame, and no number that is none', () => {
    for (const svg of [bars, lines]) {
      expect(svg).to.not.include('NaN').and.to.not.include('Infinity');
      const [, width = '0', height = '0'] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
      for (const [, x] of svg.matchAll(/ x[12]?="([-\d.]+)"/g)) expect(Number(x)).to.be.within(0, Number(width));
      for (const [, y] of svg.matchAll(/ y[12]?="([-\d.]+)"/g)) expect(Number(y)).to.be.within(0, Number(height));
    }
  });

  it('has a ground of its own, light or dark, so that it can be read anywhere', () => {
    expect(bars).to.include('prefers-color-scheme: dark').and.to.include('class="ground"');
  });
});
