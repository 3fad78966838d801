/**
 * One throw-away certificate and its key as PKCS#12, which no library of ours can write. Made with OpenSSL 3:
 *
 *   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 36500 -subj /CN=sae-a
 *   openssl pkcs12 -export -inkey k.pem -in c.pem -out new.p12
 *   openssl pkcs12 -export -legacy -certpbe PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -inkey k.pem -in c.pem -out old.p12
 */
export const PASSPHRASE = 'open sesame';

/** The certificate in it, which has signed itself. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdjCCAR2gAwIBAgIURaUzu1ZfA5lklOUVIQiIoNYrWHEwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFc2FlLWEwIBcNMjYxMTI1MjIyMjM3WhgPMjEyNjExMDEyMjIy
MzdaMBAxDjAMBgNVBAMMBXNhZS1hMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
uBSzM2eQCzKcsgaVefxwOzugrntBodXBp4SJe2CEaOFcfRGuaBe7RQL8zCXtK16d
APpFcDUg0ZJLdc4CKZ2jkqNTMFEwHQYDVR0OBBYEFOtYYAVdKgEQik7x+Qzw0uzD
p0h5MB8GA1UdIwQYMBaAFOtYYAVdKgEQik7x+Qzw0uzDp0h5MA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgNO1Lm7zukU8ZbWrL/SR6sChfia9HY2j/
1X9Bhh5d0CECIGOpHtcsiy72YupOcpcX0gmK5BRazhVaDgynfqkP8Rrx
-----END CERTIFICATE-----
`;

/** With the ciphers of OpenSSL 3. */
export const PKCS12 = Buffer.from(
  [
    'MIIEDAIBAzCCA8IGCSqGSIb3DQEHAaCCA7MEggOvMIIDqzCCAmIGCSqGSIb3DQEHBqCCAlMwggJPAgEAMIICSAYJKoZIhvcNAQcB',
    'MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhJqjUkDzGKfAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECJY',
    'thWfZnPFCQGGi4WuOaCAggHgLuNmZWQcWQ5kQlUjTTNNq4xDMb0DPV2SHranXE7/l95EaFH59JwqBcI70zA4HxrUpgR4BE9m+BCo',
    'iN5avmhEbCgDA6HZ39u7+HdZXYa1VLP/ivqxFqlQEfFRMbvTWyn6qVwSHyQC7+x7UdDHg/nZuRA9OXU975UyYRO9UwTKeg0JmlMZ',
    'qQ+YCSAQ+KqoqIfXmJPd0Kyluv7dxPpOaa6PNmNTmvigeyT1QGswUiMgzVLxgxSbaN2co6Lnp2vwGOvTjkuUtbOvQCoR5n/lTlaD',
    'uhJlDGF+rc/wFmdCkaTRREh36xV9I07D/dNlaVx9EM0cK5ynjiYtC+LcN0FS2hb1wiBmInf1hKbc+Tn47JGuwluTwWiBIlesA4vX',
    '5r2K8ame7g/aY7Yocl+zFTutZrKaZw+57agvIyPZIEny8GqwAy1QepGtjhyljdd88r7jrWj8fYfu6PzLa7fGYtmeuNySxw2L63Tv',
    'vNpgBjq3MNgScFIN05fJCfQe/m5TacEhkqUvdzsCHHtax0PnKVHLuiNNyOfSmolb6tD9Hv1yr+cbFIhR7yaEwKhOzvldeIIZvYLP',
    'Mq6buGZP96EJJFAb1rvGa3/nlSp1Ju01V6InIezlyRnyV5o6kJtG+p8eZvLoTJrZMIIBQQYJKoZIhvcNAQcBoIIBMgSCAS4wggEq',
    'MIIBJgYLKoZIhvcNAQwKAQKgge8wgewwVwYJKoZIhvcNAQUNMEowKQYJKoZIhvcNAQUMMBwECDHngtTYBMmuAgIIADAMBggqhkiG',
    '9w0CCQUAMB0GCWCGSAFlAwQBKgQQc7fkEwF57KMwqAxEsF/v+gSBkEhZzU9fE2rZaL9jb83Zb0Tl9sIxggO5hHTcFul2aV/HQ/Up',
    'qtvsRKqX7hGmz7TS3LUZQkkq2AxxNmafv75RN9fMGd5jqRka0Hs3MkR4k6Y/ip6BjSKUT+6mwZTA3jjmxKJmq2v5iCl7IRy7dHCm',
    'EnooD2aalJQajwRFMkaH6Scw0IkFw0ksE+TNnWhFjemlTTElMCMGCSqGSIb3DQEJFTEWBBTjIxd37ZefvYlsfQyMusbn9WrzTDBB',
    'MDEwDQYJYIZIAWUDBAIBBQAEILMtDpNSZRAT/wzz+5dVONtZKAUkN8n6OHG1L63Vu0E2BAir2qaDW4Cr7gICCAA=',
  ].join(''),
  'base64',
);

/** With RC2-40, which OpenSSL 3 refuses. */
export const OLD_PKCS12 = Buffer.from(
  [
    'MIIDegIBAzCCA0AGCSqGSIb3DQEHAaCCAzEEggMtMIIDKTCCAh8GCSqGSIb3DQEHBqCCAhAwggIMAgEAMIICBQYJKoZIhvcNAQcB',
    'MBwGCiqGSIb3DQEMAQYwDgQIdy4IoYrjnjwCAggAgIIB2BS39Lafb8qLF6Yc+b0LI2fRkSJXNxms592mIgTcwtLcskMAe0/i2TvH',
    'AhusG6i7L26oI9QNgYre5ZwO5UpXR+ISfZIb9MUYctudpME+QyVcoy27Pc3GkECfbg9GzQeob4F7NMTX/HRFPsA9zDqwF3goGIZv',
    'dRriaw7Jyj+lKC0WC9sNLDU1tPnU/6HTS4fZf+jaj2Cdc00sHNez+8bWJZSAGcG7SXAwviAGt/QdrBRqSKYlGbiYjscKbzOvZdb2',
    'pfW2sg52ueaLr892iiCCBmqskaIE9wmEWsnF1nb45ueZNvca7B7MuhoZ9y8r0rZ4XrGiai1vEXqPtdSAerL0Suk7lGyUU/0IXoUZ',
    'AUtE20IGw6MTkuN6ARL3Jn+vIaX3ztB9tj1l3zPm2wBPqvj0u9dpYjdIOgYcWL++ec9K9URZ7XFGKm/lKF+X+MpL+82gPDk6vS7O',
    'IwSKXorVZnDhFuhaRKenvN5NCiZtBxvCsmjiIF6+9+To2OPrW70cwSaOZyDD+HHx+Ad/rTSv3Eq0+a3OaI+Hg8dT1lgKgGhw3H3G',
    'ESn2AEpjXnvERbBE2hfOudkRGDDMddGX6TWkfR6wW/s8wwxNmczP6DPShIFIHmGLc3UPxmaJesAwggECBgkqhkiG9w0BBwGggfQE',
    'gfEwge4wgesGCyqGSIb3DQEMCgECoIG0MIGxMBwGCiqGSIb3DQEMAQMwDgQIOlmgaja/yd0CAggABIGQN+V4kv+FqjiNDNr/UCoU',
    'VEy4gjWXd5Bnf7hiSPuO8HwNAb7dAjdK0zMchONgBtQkGabHDsMGBrFNbKV3tZQJFY1qwkJ0nhNlIkeMavyfus0RnMKRc7lO87L1',
    'ZwTjfFVGqE928UHntq/GBVSENP50r2Oy/mxxXfvRNj1uEpT4NiOlL44MrWyMJgdX/rqWPyLSMSUwIwYJKoZIhvcNAQkVMRYEFOMj',
    'F3ftl5+9iWx9DIy6xuf1avNMMDEwITAJBgUrDgMCGgUABBTYcHmW3sCtqRCW3NZjxnhLboCcqAQIvpTXNDOuthYCAggA',
  ].join(''),
  'base64',
);
