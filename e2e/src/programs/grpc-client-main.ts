import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { ECHO_METHODS } from '../support/grpc/echo-service.js';

/**
 * Calls Say at the target on the command line by @grpc/grpc-js as it is out of the box, so that `grpc_proxy` and `http_proxy` count, and prints
 * `{code, details, message, server}`. Further arguments are messages of further calls, all at once.
 */
const [, , target = '', ...messages] = process.argv;
const { path, requestSerialize, responseDeserialize } = ECHO_METHODS.say;
const client = new Client(target, credentials.createInsecure());
await Promise.all(
  messages.map(
    (message) =>
      new Promise<void>((resolve) => {
        let [answer, server] = ['', ''];
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          Buffer.from(message),
          new Metadata(),
          { deadline: Date.now() + 10_000 },
          (_error: unknown, value?: Buffer) => (answer = value?.toString() ?? ''),
        );
        call.on('metadata', (head) => (server = String(head.get('served-by')[0])));
        call.on('status', ({ code, details }) => {
          process.stdout.write(`${JSON.stringify({ code, details, message: answer, server })}\n`);
          resolve();
        });
      }),
  ),
);
client.close();
