/** Which SAEs a KME knows, and by which IDs. */
import { clean } from '../../base/errors.js';
import type { ApiAnswer } from '../api.js';
import { route } from '../etsi-014.js';
import { SIDE_A, SIDE_B } from '../names.js';
import type { Dialect, Wrap } from './dialect.js';
import { forKeyCalls, saying } from './rewrite.js';

/** The SAEs of the pair bear these IDs in paths, and are not known by their own any more. */
function renamed(idA: string, idB: string): Wrap {
  const names = new Map([
    [idA, SIDE_A.sae],
    [idB, SIDE_B.sae],
  ]);
  return (next) => (request) => {
    const to = route(request.target);
    if (to === undefined) return next(request);
    const sae = names.get(to.sae);
    if (sae === undefined) return saying(400, `SAE ${clean(to.sae, 64)} is not known here`);
    const query = to.query === '' ? '' : `?${to.query}`;
    return next({ ...request, target: `/api/v1/keys/${sae}/${to.call}${query}` });
  };
}

function refusing(name: string, does: string, reply: ApiAnswer): Dialect {
  return { name, topic: 'SAE', does, wrap: forKeyCalls(() => reply) };
}

export const SAE_DIALECTS: readonly Dialect[] = [
  {
    name: 'integer-saes',
    topic: 'SAE',
    does: 'knows the SAEs of A and B as 1001 and 1002',
    wrap: renamed('1001', '1002'),
  },
  {
    name: 'free-text-saes',
    topic: 'SAE',
    does: 'knows the SAEs of A and B as SAE ä/1 and SAE ä/2',
    wrap: renamed('SAE ä/1', 'SAE ä/2'),
  },
  refusing('sae-401', 'refuses this SAE with 401', saying(401, 'unauthorized SAE')),
  refusing('sae-403', 'refuses this SAE with 403', saying(403, 'forbidden')),
  refusing('sae-400', 'refuses this SAE with 400, in words', saying(400, 'SAE sae-b is unknown')),
  refusing('sae-404', 'refuses this SAE with 404, in words', saying(404, 'SAE not found')),
];
