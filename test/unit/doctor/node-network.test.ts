import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeNetwork } from '../../../src/doctor/node-network.js';
import { makeTestCa, type Credentials, type TestCa } from '../../support/certificates.js';

let ca: TestCa;
let good: Credentials;
const servers: Server[] = [];

beforeAll(async () => {
  ca = await makeTestCa('KME CA');
  good = await ca.issue({ commonName: 'kme-a', san: [{ type: 'ip', value: '127.0.0.1' }] });
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const forever = (): AbortSignal => new AbortController().signal;

async function listen(server: Server): Promise<{ host: string; port: number }> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const serveTls = (options: TlsOptions = {}): Promise<{ host: string; port: number }> =>
  listen(
    createTlsServer({ cert: good.cert, key: good.key, ...options }).on('tlsClientError', () => undefined),
  );

describe('a TLS handshake', () => {
  it('shows version, chain and trust', async () => {
    const target = await serveTls({ cert: `${good.cert}\n${ca.cert}` });
    const sight = await nodeNetwork.connectTls(target, { ca: ca.cert }, forever());
    expect(sight.protocol).toBe('TLSv1.3');
    expect(sight.distrust).toBeUndefined();
    expect(sight.chain.map(({ subject }) => subject)).toEqual(['CN=kme-a', 'CN=KME CA']);
  });

  it('shows a certificate of an unknown CA too, and says so', async () => {
    const target = await serveTls({ maxVersion: 'TLSv1.2' });
    const { cert } = await makeTestCa('another CA');
    const sight = await nodeNetwork.connectTls(target, { ca: cert }, forever());
    expect(sight.protocol).toBe('TLSv1.2');
    expect(sight.distrust).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(sight.chain[0]?.subject).toBe('CN=kme-a');
  });

  it('leaves the name to be judged by whoever asked', async () => {
    const other = await ca.issue({ commonName: 'kme-b' });
    const sight = await nodeNetwork.connectTls(await serveTls(other), { ca: ca.cert }, forever());
    expect(sight.distrust).toBeUndefined();
  });

  it('says which has expired', async () => {
    const old = await ca.issue({ commonName: 'kme-a', notAfter: new Date(Date.now() - 1_000) });
    const sight = await nodeNetwork.connectTls(await serveTls(old), { ca: ca.cert }, forever());
    expect(sight.distrust).toBe('CERT_HAS_EXPIRED');
  });

  it('fails where no TLS is spoken', async () => {
    const target = await listen(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await expect(nodeNetwork.connectTls(target, {}, forever())).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_SSL_/),
    });
  });

  it('ends at once where the other side is silent and the time is over', async () => {
    let closed = false;
    const target = await listen(
      createTcpServer((socket) =>
        socket
          .on('error', () => undefined)
          .once('close', () => (closed = true))
          .resume(),
      ),
    );
    const end = new AbortController();
    const sight = nodeNetwork.connectTls(target, {}, end.signal);
    setTimeout(() => {
      end.abort();
    }, 50);
    await expect(sight).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(closed).toBe(true);
  });
});

describe('a connection', () => {
  it('answers the address that took it', async () => {
    const { port } = await serveTls();
    expect(await nodeNetwork.connect({ host: 'localhost', port }, forever())).toBe('127.0.0.1');
  });

  it('fails with the code of what went wrong', async () => {
    const { host, port } = await serveTls();
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    await expect(nodeNetwork.connect({ host, port }, forever())).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });
});

it('looks names up', async () => {
  expect(await nodeNetwork.lookup('localhost')).toContain('127.0.0.1');
});
