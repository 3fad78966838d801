/** Every planted bug, in the order of the table. */
import { CONDUCT_BUGS } from './conduct.js';
import { DURABILITY_BUGS } from './durability.js';
import { MODEL_BUGS } from './model.js';
import type { PlantedBug } from './planted-bug.js';

export const BUGS: readonly PlantedBug[] = [...MODEL_BUGS, ...DURABILITY_BUGS, ...CONDUCT_BUGS];
