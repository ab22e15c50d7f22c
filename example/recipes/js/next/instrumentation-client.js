// What the pages of a Next.js application report.
import * as obs from '@obs/sdk';

obs.init({ dsn: process.env.NEXT_PUBLIC_OBS_DSN });
