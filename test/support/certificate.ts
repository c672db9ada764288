import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** PEM */
  cert: Buffer;
  key: Buffer;
  /** where clients find the certificate that they have to trust */
  certFile: string;
}

/**
 * Makes a self-signed certificate for `localhost` in this folder.
 *
 * @returns undefined where there is no openssl to make it
 */
export function makeCertificate(folder: string): Certificate | undefined {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const fresh = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    execFileSync('openssl', [...fresh, ...subject, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { cert: readFileSync(certFile), key: readFileSync(keyFile), certFile };
}
