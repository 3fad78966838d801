/** Every dialect at the KME of the site that initiates. */
import { describeSide } from './suite.js';

describeSide('a');
