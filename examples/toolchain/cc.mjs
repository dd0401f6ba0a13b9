// Compiles C, or C++ that is named .cc, to a WASI preview1 command: node cc.mjs SOURCE.c OUTPUT.wasm [DIRECTORY] [FLAG ...]
//
// The compiler sees the source under its bare name in an empty file system, so
// neither the directory of the checkout nor the machine can reach the output.
// It sees the headers and C files in DIRECTORY, which hold somebody else's
// library, below lib/: name those to compile as lib/NAME.c among the flags.

import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { argv, exit, stderr } from 'node:process';
import { Exit, runClang, runLLVM } from '@yowasp/clang';

const FLAGS = [
	'--target=wasm32-wasip1', '-std=c11', '-D_POSIX_C_SOURCE=200809L', '-O2',
	'-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror',
	'-Wl,--strip-all',
	'-lc-printscan-no-floating-point', // the programs print no fractions; saves a tenth of the module
];

const CXXFLAGS = ['--target=wasm32-wasip1', '-std=c++20', '-O2', '-fno-exceptions', '-Wall', '-Wextra', '-Werror', '-Wl,--strip-all'];

async function library(directory) {
	const files = {};
	for (const name of await readdir(directory)) {
		if (/\.[ch]$/.test(name)) {
			files[name] = await readFile(join(directory, name));
		}
	}
	return files;
}

async function compile(source, output, directory, flags) {
	const name = basename(source);
	const files = { [name]: await readFile(source) };
	if (directory !== undefined) {
		files.lib = await library(directory);
		flags = ['-isystem', 'lib', ...flags];
	}
	await runLLVM(null, {}, { fetchProgress: () => {} }); // loads the compiler, silently
	const driver = name.endsWith('.cc') ? ['clang++', ...CXXFLAGS] : ['clang', ...FLAGS];
	const built = await runClang(
		[...driver, name, ...flags, '-o', 'out.wasm'],
		files,
		{ stderr: (bytes) => bytes && stderr.write(bytes) },
	);
	await writeFile(output, built['out.wasm']);
}

const [source, output, ...rest] = argv.slice(2);
if (output === undefined) {
	stderr.write('usage: node cc.mjs SOURCE.c OUTPUT.wasm [DIRECTORY] [FLAG ...]\n');
	exit(2);
}
const directory = rest.length > 0 && !rest[0].startsWith('-') ? rest.shift() : undefined;
try {
	await compile(source, output, directory, rest);
} catch (error) {
	// The compiler has printed its own diagnostics by the time it exits.
	stderr.write(error instanceof Exit ? `cc.mjs: ${source} does not compile\n` : `cc.mjs: ${error.message}\n`);
	exit(1);
}
