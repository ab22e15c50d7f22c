// A route that captures one error itself and throws another.
import * as obs from '@obs/sdk';

export async function POST(request) {
  obs.captureException(new RangeError('Next.js: the amount is odd'), { request, user: { id: 7 } });
  throw new TypeError('Next.js: the card was declined');
}
