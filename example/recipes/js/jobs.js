// A program that takes jobs from a queue: each job has a scope, and one that fails does not end the program.
import { setTimeout } from 'node:timers/promises';
import * as obs from '@obs/sdk';

obs.init({ dsn: process.env.OBS_DSN });

async function* queue() {
  for (const name of ['resize', 'mail', 'invoice']) yield { name, user: 7 };
}

async function run(job) {
  obs.setUser({ id: job.user });
  await setTimeout(5);
  if (job.name === 'mail') throw new TypeError('jobs: the mailbox is full');
}

const jobs = queue();
for await (const job of jobs) {
  await obs.withScope({ tags: { job: job.name }, extra: { job } }, async () => {
    await run(job).catch((error) => obs.captureException(error));
  });
}
await obs.flush();
