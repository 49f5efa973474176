import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { chown, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeSelfSigned, skipBecause } from '@mesher/core/testing';
import { APPLICATION } from '../support/intercepted-calls.js';
import { folderOf, ordinaryUser, startPeer } from '../support/peer-server.js';
import type { SpawnedProcess } from '../support/spawned-process.js';
import { ADDRESSES, FAMILIES, useTransparentScene, USUAL_WAY, type Way } from '../support/transparent-scene.js';
import type { TransparentSidecar } from '../support/transparent-sidecar.js';

/** Not its own port, which is opaque: what it says is looked at. */
const PORT = 15_432;
const WAYS: readonly Way[] = [USUAL_WAY, { backend: 'nft', inbound: 'TPROXY' }];
const VERSIONS = '/usr/lib/postgresql';
const ROWS = 200_000;

/** Debian keeps the programs of the server out of the path. */
function serverFolder(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

describe('PostgreSQL between two transparent sidecars', () => {
  const scene = useTransparentScene('psql');
  let certificate: string;
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async function () {
    const bin = serverFolder();
    if (bin === undefined) skipBecause(this, 'postgresql is not installed');
    const as = ordinaryUser('postgres');
    const data = await folderOf(scene(), 'postgres', as);
    await scene().far.must(join(bin, 'initdb'), ['-D', data, '-U', 'shop', '--auth=trust', '--no-sync', '-E', 'UTF8'], {
      as,
    });
    const { cert, key } = makeSelfSigned('db.example', 'db.example');
    certificate = await scene().write('db.pem', cert);
    for (const [name, content] of [
      ['server.crt', cert],
      ['server.key', key],
      ['pg_hba.conf', 'host all all all trust\n'],
    ] as const) {
      await writeFile(join(data, name), content, { mode: 0o600 });
      await chown(join(data, name), as.uid, as.gid);
    }
    const settings = { listen_addresses: '*', port: PORT, ssl: 'on', fsync: 'off', unix_socket_directories: data };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    await startPeer(scene().far, join(bin, 'postgres'), ['-D', data, ...flags], { port: PORT, as });
  });

  for (const way of WAYS) {
    describe(`with ${way.backend}, ${way.inbound} inbound`, () => {
      before(async () => {
        [near, far] = await scene().bothSidecars(way);
      });

      for (const family of FAMILIES) {
        const flags = (more = ''): string[] => [
          `host=db.example hostaddr=${ADDRESSES.far[family]} port=${PORT} user=shop dbname=postgres sslmode=disable ${more}`,
          ...['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1'],
        ];
        const sql = async (...args: readonly string[]): Promise<string> =>
          await scene().call('psql', ...flags(), ...args.flatMap((one) => ['-c', one]));
        const interactive = (): SpawnedProcess => scene().near.spawn('psql', flags(), { as: APPLICATION });

        it(`answers queries, and copies megabytes in and out, over ${family}`, async () => {
          expect(await sql('SELECT 6 * 7')).to.equal('42\n');
          const rows = Array.from({ length: ROWS }, (_, index) => `${index}\trow number ${index}\n`).join('');
          const file = await scene().write('rows.tsv', rows);
          await sql('DROP TABLE IF EXISTS t', 'CREATE TABLE t (a int, b text)', `\\copy t FROM '${file}'`);
          expect(await sql('SELECT count(*) FROM t')).to.equal(`${ROWS}\n`);
          const out = await scene().call(
            'sh',
            ...['-c', 'psql "$@" -c "COPY (SELECT * FROM t ORDER BY a) TO STDOUT" | sha256sum', 'sh', ...flags()],
          );
          expect(out).to.include(createHash('sha256').update(rows).digest('hex'));
        });

        it(`notifies who listens, over ${family}`, async () => {
          const listening = interactive();
          listening.write('LISTEN news;\n\\echo listens\n');
          await listening.untilPrinted(/^listens$/m);
          await sql("NOTIFY news, 'it rains'");
          listening.write('SELECT 1;\n');
          await listening.untilPrinted(/notification "news" with payload "it rains"/);
          listening.write('\\q\n');
          expect((await listening.exited).code).to.equal(0);
        });

        it(`cancels a query by the second connection that Ctrl-C makes, over ${family}`, async () => {
          const sleeping = interactive();
          sleeping.write('\\echo here\n');
          await sleeping.untilPrinted(/^here$/m);
          sleeping.write("SELECT 'asleep', pg_sleep(3600);\n");
          for (;;) {
            const seen = await sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT ''asleep''%'");
            if (seen === '1\n') break;
          }
          sleeping.signal('SIGINT');
          await sleeping.untilPrinted(/canceling statement due to user request/);
          await sleeping.exited;
        });

        it(`speaks TLS, which psql asks for in words of PostgreSQL and verifies, over ${family}`, async () => {
          const said = await scene().call(
            'env',
            // Where it looks for a certificate of its own.
            `HOME=${scene().folder}`,
            'psql',
            ...flags(`sslmode=verify-full sslrootcert=${certificate}`),
            ...['-c', 'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()'],
          );
          expect(said).to.match(/^t\|TLSv1/);
        });
      }

      it('passes as bytes both times', async () => {
        for (const sidecar of [near, far]) {
          expect(await sidecar.connections({ protocol: 'tcp', verdict: 'passed' })).to.be.greaterThan(10);
          expect(await sidecar.connections({ verdict: 'passed' })).to.equal(
            await sidecar.connections({ protocol: 'tcp' }),
          );
        }
      });
    });
  }
});
