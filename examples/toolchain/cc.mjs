// Compiles one C file to a WASI preview1 command: node cc.mjs SOURCE.c OUTPUT.wasm
//
// The compiler sees the source under its bare name in an empty file system, so
// neither the directory of the checkout nor the machine can reach the output.

import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { argv, exit, stderr } from 'node:process';
import { Exit, runClang, runLLVM } from '@yowasp/clang';

const FLAGS = [
	'--target=wasm32-wasip1', '-std=c11', '-D_POSIX_C_SOURCE=200809L', '-O2',
	'-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror',
	'-Wl,--strip-all',
	'-lc-printscan-no-floating-point', // the programs print no fractions; saves a tenth of the module
];

async function compile(source, output) {
	const name = basename(source);
	const text = await readFile(source);
	await runLLVM(null, {}, { fetchProgress: () => {} }); // loads the compiler, silently
	const files = await runClang(
		['clang', ...FLAGS, name, '-o', 'out.wasm'],
		{ [name]: text },
		{ stderr: (bytes) => bytes && stderr.write(bytes) },
	);
	await writeFile(output, files['out.wasm']);
}

if (argv.length !== 4) {
	stderr.write('usage: node cc.mjs SOURCE.c OUTPUT.wasm\n');
	exit(2);
}
try {
	await compile(argv[2], argv[3]);
} catch (error) {
	// The compiler has printed its own diagnostics by the time it exits.
	stderr.write(error instanceof Exit ? `cc.mjs: ${argv[2]} does not compile\n` : `cc.mjs: ${error.message}\n`);
	exit(1);
}
