/** Trials in which the connection between the sites is cut. */
import type { Bench } from './bench.js';
import { PARTS, type CutPoint } from './point.js';
import { RecordProxy } from './record-proxy.js';
import type { Side } from './site.js';
import type { Result, Trial } from './trial.js';

export async function runCut(trial: Trial, point: CutPoint): Promise<Result> {
  const { port = 0 } = await trial.listening();
  const proxy = await RecordProxy.open(port, point);
  try {
    await trial.contact('initiate', proxy.port, true);
  } finally {
    await proxy.close();
  }
  await trial.responderEnds(0);
  const even = point.record % 2 === 0;
  if (even) await trial.consume();
  const contacts = await trial.settle(even ? 'recover' : 'initiate');
  return trial.judge(contacts, proxy.cut);
}

/** How many TLS records each side sends in an exchange that nothing disturbs. */
export async function countRecords(bench: Bench): Promise<Record<Side, number>> {
  const sites = await bench.sites('first');
  try {
    const responder = await sites.b.respond();
    const proxy = await RecordProxy.open(responder.port ?? 0);
    await sites.a.contact('initiate', proxy.port).ended;
    await responder.process.ended;
    await proxy.close();
    return proxy.counts;
  } finally {
    await sites.close();
  }
}

/** All cuts; or, in the short form, each record once, with parts and ways taking turns. */
export function planCuts(counts: Readonly<Record<Side, number>>, full: boolean): CutPoint[] {
  const points: CutPoint[] = [];
  for (const from of ['A', 'B'] as const) {
    for (let record = 1; record <= counts[from]; record += 1) {
      PARTS.forEach((part, nth) => {
        for (const off of [false, true]) {
          for (const reset of [false, true]) {
            const turn =
              nth === (2 * record) % PARTS.length &&
              off === (record % 3 === 0) &&
              reset === (record % 4 === 0);
            if (full || turn) points.push({ kind: 'cut', from, record, part, off, reset });
          }
        }
      });
    }
  }
  return points;
}
