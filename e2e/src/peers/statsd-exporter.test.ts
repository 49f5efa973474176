import { expect } from 'chai';
import { findSamples, parsePrometheusText } from '@mesher/core/testing';
import { builtProgram, requireBuilt } from '../support/built-program.js';
import { eventually } from '../support/eventually.js';
import { call } from '../support/http-call.js';
import { useScene, type Scene } from '../support/scene.js';

/** The StatsD server of Prometheus, which shows what it understood as metrics. */
class Exporter {
  private constructor(
    readonly statsd: number,
    private readonly web: number,
  ) {}

  static async start(scene: Scene): Promise<Exporter> {
    const [statsd, tcp, web] = [await scene.ports.take(), await scene.ports.take(), await scene.ports.take()];
    const child = scene.spawn('statsd_exporter', builtProgram('statsd_exporter'), [
      `--statsd.listen-udp=127.0.0.1:${statsd}`,
      `--statsd.listen-tcp=127.0.0.1:${tcp}`,
      `--web.listen-address=127.0.0.1:${web}`,
    ]);
    await child.untilPrinted(/Accepting Prometheus Requests/i);
    return new Exporter(statsd, web);
  }

  /** The sum of the series that have the labels; of a histogram or a summary, by the name with `_count` or `_sum`. */
  async value(family: string, labels: Readonly<Record<string, string>> = {}, name = family): Promise<number> {
    const { body } = await call(`http://127.0.0.1:${this.web}/metrics`);
    return findSamples(parsePrometheusText(body).get(family), labels, name).reduce((sum, one) => sum + one.value, 0);
  }
}

describe('the StatsD exporter of Prometheus', () => {
  const scene = useScene();
  before(function () {
    requireBuilt(this, 'statsd_exporter');
  });

  const CALLS = 137;

  for (const tags of ['none', 'dogstatsd'] as const) {
    it(`understands every line, and counts what was counted: tags ${tags}`, async () => {
      const exporter = await Exporter.start(scene());
      const { sidecar } = await scene().service('shop', {
        env: {
          NETRA_STATSD_ENABLED: 'true',
          NETRA_STATSD_ADDRESS: `127.0.0.1:${exporter.statsd}`,
          NETRA_STATSD_PREFIX: 'netra',
        },
        mesher: {
          mesher: {
            statsd: { tags, flushInterval: '100ms', families: 'responses,calls,policies,connections,process' },
          },
        },
      });
      const front = await scene().sidecar({ service: 'front', host: 'none' });
      for (let done = 0; done < CALLS; done++) await front.call('http://shop/');
      await eventually('all calls', async () => (await exporter.value('netra_inbound_200')) === CALLS);
      const family = tags === 'none' ? 'netra_request_duration_inbound_shop_2xx' : 'netra_request_duration';
      const labels: Record<string, string> =
        tags === 'none' ? {} : { direction: 'inbound', service: 'shop', status_class: '2xx' };
      await eventually(
        'all durations',
        async () => (await exporter.value(family, labels, `${family}_count`)) === CALLS,
      );
      const own = parsePrometheusText((await sidecar.admin('/metrics')).body).get('mesher_request_duration_seconds');
      const inbound = { direction: 'inbound', service: 'shop' };
      const [{ value: seconds } = { value: 0 }] = findSamples(own, inbound, 'mesher_request_duration_seconds_sum');
      // The exporter shows timers in seconds.
      expect(await exporter.value(family, labels, `${family}_sum`)).to.be.closeTo(seconds, seconds * 0.01);
      for (const trouble of ['sample_errors_total', 'events_unmapped_errors_total', 'tag_errors_total']) {
        expect(await exporter.value(`statsd_exporter_${trouble}`), trouble).to.equal(0);
      }
    });
  }
});
