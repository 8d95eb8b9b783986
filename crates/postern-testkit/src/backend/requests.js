// A Node http server that answers every request with {} and writes each one it parsed as a line of
// JSON. Its parser is llhttp, strict, as Node ships it.
'use strict';
const http = require('http');

const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  let told = false;
  const seen = (complete) => {
    if (told) return;
    told = true;
    tell({
      method: request.method,
      target: request.url,
      host: request.headers.host || '',
      body: Buffer.concat(pieces).toString('latin1'),
      complete,
    });
  };
  request.on('end', () => {
    seen(true);
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  request.on('aborted', () => seen(false));
});
server.on('clientError', (error, socket) => {
  tell({ refused: String(error.code || error.message) });
  socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
});
server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }));
