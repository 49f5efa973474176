import { connect } from 'node:net';

/** Sends the bytes on the command line to `host:port` and prints what comes back, until the other side closes. */
const [, , address = '', bytes = ''] = process.argv;
const socket = connect({ host: address.split(':')[0], port: Number(address.split(':')[1]) });
socket.write(bytes);
socket.pipe(process.stdout);
