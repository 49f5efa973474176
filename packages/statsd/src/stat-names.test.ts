import { METRICS } from '@mesher/core';
import { expect } from 'chai';
import { StatNames } from './stat-names.js';

describe('names for StatsD', () => {
  const labels = { direction: 'outbound', service: 'shop.orders', status_class: '2xx' };

  it('have the counter of netramesh letter for letter, with and without a prefix', () => {
    const inbound = { direction: 'inbound', status: 200 };
    expect(new StatNames('netra', 'none').of(METRICS.responses, inbound).name).to.equal('netra.inbound.200');
    expect(new StatNames('', 'none').of(METRICS.responses, inbound).name).to.equal('inbound.200');
    expect(new StatNames('shop.', 'none').of(METRICS.responses, inbound).name).to.equal('shop.inbound.200');
    expect(new StatNames('netra', 'dogstatsd').of(METRICS.responses, inbound)).to.deep.equal({
      name: 'netra.inbound.200',
      tags: '',
    });
  });

  it('are those of the metrics page, with the values of their labels', () => {
    const names = new StatNames('', 'none');
    expect(names.of(METRICS.requests, labels).name).to.equal('requests.outbound.shop_orders.2xx');
    expect(names.of(METRICS.requestDuration, labels).name).to.equal('request_duration.outbound.shop_orders.2xx');
    expect(names.of(METRICS.seriesDropped, {}).name).to.equal('series_dropped');
  });

  it('have tags instead, for those who can read them', () => {
    expect(new StatNames('mesh', 'dogstatsd').of(METRICS.requests, labels)).to.deep.equal({
      name: 'mesh.requests',
      tags: '|#direction:outbound,service:shop.orders,status_class:2xx',
    });
  });

  it('let no value of a label forge another line, another type or another tag', () => {
    const forged = { direction: '', service: 'a:1|c\nb:2|g|#x:y,z', status_class: '@0.1' };
    expect(new StatNames('', 'none').of(METRICS.requests, forged).name).to.equal(
      'requests.none.a_1_c_b_2_g__x_y_z._0_1',
    );
    expect(new StatNames('', 'dogstatsd').of(METRICS.requests, forged).tags).to.equal(
      '|#direction:none,service:a:1_c_b:2_g__x:y_z,status_class:_0.1',
    );
  });
});
