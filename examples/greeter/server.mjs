// A server of greeter.proto. It knows nothing of Mesher. PORT is where it listens.
import { Server, ServerCredentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { PORT = '50051' } = process.env;
const { greeter } = loadPackageDefinition(loadSync(new URL('greeter.proto', import.meta.url).pathname));

function sayHello({ request: { name } }, answer) {
  if (name === '') answer({ code: status.INVALID_ARGUMENT, details: 'nobody to greet' });
  else answer(null, { text: `Hello, ${name}!` });
}

function keepGreeting(call) {
  let count = 0;
  const timer = setInterval(() => {
    call.write({ text: `Hello number ${++count}, ${call.request.name}!` });
    if (count < 3) return;
    clearInterval(timer);
    call.end();
  }, 200);
  call.on('cancelled', () => clearInterval(timer));
}

const server = new Server();
server.addService(greeter.Greeter.service, { sayHello, keepGreeting });
server.bindAsync(`127.0.0.1:${PORT}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log(`the greeter listens on ${PORT}`);
});
