// What the dashboard shows after the three examples: prints each issue, and fails if it is not the four that they make.
const expected = {
  'Application started': 3,
  'database connection failed: timeout after 30s': 3,
  'Disk usage above 80%': 2,
  'unexpected failure in goroutine': 1,
};

const answer = await fetch('http://localhost:8000/api/issues');
const { issues } = await answer.json();
console.log('\nThe dashboard has:\n');
for (const { count, level, message } of issues) console.log(`${String(count).padStart(4)} × ${message} (${level})`);
console.log();

const complete = issues.length === 4 && issues.every(({ message, count }) => expected[message] === count);
if (!complete) {
  console.error(`Expected: ${JSON.stringify(expected, null, 2)}`);
  process.exit(1);
}
