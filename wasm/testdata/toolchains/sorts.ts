// Sorts its arguments and shows what else of WASI AssemblyScript's shim uses: environment, clocks, random numbers.
const words = process.argv.slice(1);
words.sort();
console.log(words.join(" "));
const seen = new Map<string, i32>();
for (let i = 0; i < words.length; i++) {
  seen.set(words[i], seen.has(words[i]) ? seen.get(words[i]) + 1 : 1);
}
console.log(seen.size.toString() + " different");
const home = process.env.get("HOME");
console.log("HOME is " + home);
console.log(Date.now().toString() + " " + process.hrtime().toString());
const bytes = new Uint8Array(4);
crypto.getRandomValues(bytes);
console.log(bytes.join(",") + " " + Math.random().toString());
console.error("done");
process.exit(6);
