import { rm } from 'node:fs/promises';

export default async function removeCli(): Promise<void> {
  const folder = process.env['QKD_SYNC_E2E_FOLDER'];
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
