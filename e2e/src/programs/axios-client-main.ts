import axios from 'axios';

/** Calls the URL on the command line with axios, which reads `http_proxy` itself, and prints the body of the answer. */
const answer = await axios.post<string>(process.argv[2] ?? '', 'from axios', {
  headers: { 'content-type': 'text/plain' },
  responseType: 'text',
  transformResponse: (text: string) => text,
});
process.stdout.write(answer.data);
