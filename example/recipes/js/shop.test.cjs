// Jest requires the SDK's CommonJS file.
const obs = require('@obs/sdk');

test('a test of a program that uses the SDK', async () => {
  obs.init({ dsn: process.env.OBS_DSN });
  obs.setUser({ id: 7 });
  obs.captureException(new TypeError('Jest: the card was declined'));
  expect(await obs.flush()).toBe(true);
  await obs.close();
});
