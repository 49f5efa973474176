import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { folderOf, ordinaryUser, startPeer } from '../support/peer-server.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from '../support/transparent-scene.js';
import type { TransparentSidecar } from '../support/transparent-sidecar.js';

/** Opaque by default, and one that is looked at. */
const PORTS = [3306, 13_306] as const;
const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];
const ROWS = 50_000;

describe('MariaDB, which speaks first, between two transparent sidecars', () => {
  const scene = useTransparentScene('mariadbd', 'mariadb', 'mariadb-install-db');
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async function () {
    this.timeout(120_000);
    const as = ordinaryUser('mysql');
    const data = await folderOf(scene(), 'mariadb', as);
    const common = ['--no-defaults', `--datadir=${data}`];
    const install = [...common, '--auth-root-authentication-method=normal', '--skip-test-db'];
    await scene().far.must('mariadb-install-db', install, { as });
    // A statement on a line each.
    const user = "CREATE USER shop IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO shop;\nCREATE DATABASE shop;\n";
    const start = await scene().write('start.sql', user);
    const [port, other] = PORTS;
    const listen = [`--port=${port}`, `--extra-port=${other}`, '--extra-max-connections=50', '--bind-address=*'];
    const flags = [...common, ...listen, `--socket=${data}/socket`, `--init-file=${start}`, '--skip-name-resolve'];
    await startPeer(scene().far, 'mariadbd', flags, { port: other, as });
  });

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound`, () => {
      before(async () => {
        // Whoever waited for the client to speak would not be done before the test is given up.
        [near, far] = await scene().bothSidecars(way, { mesher: { 'mesher.proxy.detectTimeout': '5m' } });
      });

      for (const family of FAMILIES) {
        for (const port of PORTS) {
          it(`logs in, answers, and passes megabytes both ways, over ${family} to ${port}`, async () => {
            const address = ['--protocol=tcp', '-h', ADDRESSES.far[family], '-P', String(port)];
            const flags = [
              '--no-defaults',
              ...address,
              '-u',
              'shop',
              '-psecret',
              '--local-infile=1',
              '-N',
              '-B',
              'shop',
            ];
            const sql = async (...args: readonly string[]): Promise<string> =>
              await scene().call('mariadb', ...flags, ...args);
            expect(await sql('-e', 'SELECT 6 * 7')).to.equal('42\n');
            const rows = Array.from({ length: ROWS }, (_, index) => `${index}\trow number ${index}\n`).join('');
            const file = await scene().write('rows.tsv', rows);
            const table = 'DROP TABLE IF EXISTS t; CREATE TABLE t (a INT, b TEXT)';
            await sql('-e', `${table}; LOAD DATA LOCAL INFILE '${file}' INTO TABLE t`);
            const back = ['-c', 'mariadb "$@" -e "SELECT * FROM t ORDER BY a" | sha256sum', 'sh', ...flags];
            const sum = createHash('sha256').update(rows).digest('hex');
            expect(await scene().call('sh', ...back)).to.include(sum);
          });
        }
      }

      it('passes without a look on its own port, and is heard first elsewhere', async () => {
        for (const sidecar of [near, far]) {
          const own = await sidecar.connections({ protocol: 'opaque', verdict: 'passed' });
          expect(own).to.equal(6);
          expect(await sidecar.connections({ protocol: 'server-first', verdict: 'passed' })).to.equal(6);
        }
      });
    });
  }
});
