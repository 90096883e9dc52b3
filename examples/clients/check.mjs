// Judge a claim from JavaScript (Node 18 or later; nothing to install): node check.mjs http://127.0.0.1:8087 < claim.json
import { readFileSync } from "node:fs";

const server = process.argv[2] ?? "http://127.0.0.1:8087";
const token = process.env.WEAKCODE_TOKEN;

const answer = await fetch(`${server}/v1/check`, {
  method: "POST",
  headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
  body: readFileSync(0, "utf8"),
  signal: AbortSignal.timeout(30_000),
});
const values = await answer.json();
if (!answer.ok) {
  console.error(`${values.status} ${values.title}: ${values.detail}`);
  process.exit(2);
}
for (const finding of values.findings) {
  console.log(`${finding.severity} ${finding.rule} ${finding.positions.join(",")} ${finding.message}`);
}
process.exitCode = values.findings.some((finding) => finding.severity === "error") ? 1 : 0;
