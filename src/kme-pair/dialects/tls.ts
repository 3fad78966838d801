/** Versions, certificates and client certificates. */
import type { Transport } from '../transport.js';
import type { Dialect } from './dialect.js';

function tls(name: string, does: string, transport: Partial<Transport>): Dialect {
  return { name, topic: 'TLS', does, transport };
}

export const TLS_DIALECTS: readonly Dialect[] = [
  tls('tls-1.2', 'speaks TLS 1.2 only', { maxVersion: 'TLSv1.2' }),
  tls('tls-1.3', 'speaks TLS 1.3 only', { minVersion: 'TLSv1.3' }),
  tls('no-san', 'has a certificate without SAN, whose CN is its ID', { certificate: 'no-san' }),
  tls('ip-only', 'has a certificate whose SAN names its IP addresses only', { certificate: 'ip-only' }),
  tls('wrong-name', 'has a certificate that bears another name', { certificate: 'wrong-name' }),
  tls('expired', 'has a certificate that has expired', { certificate: 'expired' }),
  tls('sae-by-serial', "knows SAEs by their certificate's serial number", { knows: 'serial' }),
  tls('refuses-by-alert', "refuses every client's certificate by an alert in the handshake", {
    knows: 'no-certificate',
    refuses: 'alert',
  }),
  tls('refuses-by-hang-up', "refuses every client's certificate by hanging up after the handshake", {
    knows: 'no-certificate',
  }),
  {
    name: 'refuses-by-400',
    topic: 'TLS',
    does: "refuses every client's certificate as HTTP 400 after a good handshake",
    wrap: () => () => ({
      status: 400,
      body:
        '<html><head><title>400 The SSL certificate error</title></head>' +
        '<body><h1>400 Bad Request</h1>The SSL certificate error</body></html>',
      headers: { 'content-type': 'text/html' },
    }),
  },
  tls('plain-http', 'speaks plain http, and takes whoever comes for its SAE', { scheme: 'http' }),
];
