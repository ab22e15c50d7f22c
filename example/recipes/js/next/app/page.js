// A page whose button throws in the browser.
'use client';

import * as obs from '@obs/sdk';

export default function Page() {
  const pay = () => {
    obs.setUser({ id: 7 });
    throw new TypeError('Next.js: the browser declined the card');
  };
  return (
    <button id="pay" onClick={pay}>
      Pay
    </button>
  );
}
