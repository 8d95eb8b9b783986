// parse-server on the PostgreSQL named in PARSE_DATABASE, on a free port, which it prints.
'use strict';
const path = require('path');
const modules = process.env.PARSE_NODE_MODULES;
const load = (name) => require(path.join(modules, name));
const express = load('express');
const { ParseServer } = load('parse-server');

async function main() {
  const app = express();
  const listener = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = `http://127.0.0.1:${listener.address().port}`;
  const server = new ParseServer({
    databaseURI: process.env.PARSE_DATABASE,
    appId: process.env.PARSE_APPLICATION,
    masterKey: process.env.PARSE_MASTER_KEY,
    restAPIKey: process.env.PARSE_REST_KEY,
    serverURL: address,
    masterKeyIps: ['127.0.0.1', '::1', '::ffff:127.0.0.1'],
    allowClientClassCreation: true,
    enforcePrivateUsers: true,
    encodeParseObjectInCloudFunction: true,
    directAccess: true,
    silent: true,
    logsFolder: process.env.PARSE_LOGS,
    fileUpload: { enableForPublic: false },
  });
  await server.start();
  app.use('/', server.app);
  process.stdout.write(`listening on ${listener.address().port}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.stack || error}\n`);
  process.exit(1);
});
