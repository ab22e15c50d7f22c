// Prints the dashboard's issues, and fails unless they are the four that the three examples create.
const expected = {
  'Application started': 3,
  'database connection failed: timeout after 30s': 3,
  'Disk usage above 80%': 2,
  'unexpected failure in goroutine': 1,
};

const response = await fetch('http://localhost:8000/api/issues');
const { issues } = await response.json();
console.log('\nIssues on the dashboard:\n');
for (const { count, level, message } of issues) console.log(`${String(count).padStart(4)} × ${message} (${level})`);
console.log();

const complete = issues.length === 4 && issues.every(({ message, count }) => expected[message] === count);
if (!complete) {
  console.error(`Expected: ${JSON.stringify(expected, null, 2)}`);
  process.exit(1);
}
