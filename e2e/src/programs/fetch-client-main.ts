import { EnvHttpProxyAgent, fetch } from 'undici';

/** Calls the URL on the command line with undici, told to use `http_proxy`, and prints the body of the answer. */
const dispatcher = new EnvHttpProxyAgent();
const answer = await fetch(process.argv[2] ?? '', { method: 'POST', body: 'from fetch', dispatcher });
process.stdout.write(await answer.text());
await dispatcher.close();
