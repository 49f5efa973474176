// A client of greeter.proto: node client.mjs TARGET NAME [AUTHORITY]
// TARGET is the service (with grpc_proxy in the environment), or the address of the sidecar, with the service as AUTHORITY.
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [, , target = 'greeter:50051', name = 'world', authority] = process.argv;
const { greeter } = loadPackageDefinition(loadSync(new URL('greeter.proto', import.meta.url).pathname));
const options = authority === undefined ? {} : { 'grpc.default_authority': authority };
const client = new greeter.Greeter(target, credentials.createInsecure(), options);

client.sayHello({ name }, (error, greeting) => {
  if (error) {
    console.log(
      `${error.code}: ${error.details} (x-mesher-error: ${error.metadata.get('x-mesher-error')[0] ?? 'none'})`,
    );
    client.close();
    return;
  }
  console.log(greeting.text);
  const stream = client.keepGreeting({ name });
  stream.on('data', ({ text }) => console.log(text));
  stream.on('error', ({ details }) => console.log(details));
  stream.on('end', () => client.close());
});
