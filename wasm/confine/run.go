package confine

import (
	"maps"
	"slices"
	"strings"

	"github.com/filecoin-project/bacalhau/wasm"
)

// runOf is the attempt to run a task, still without the image of its module.
func runOf(t *wasm.Task) *attempt {
	j := job{Task: taskRun, Seed: t.Seed, MemoryKey: t.MemoryKey, Limits: t.Limits}
	for _, arg := range t.Args {
		j.Args = append(j.Args, []byte(arg))
	}
	for name, value := range t.Env {
		j.Env = append(j.Env, []byte(name+"="+value))
	}
	var files []wasm.File
	for _, path := range slices.Sorted(maps.Keys(t.Inputs)) {
		f := t.Inputs[path]
		j.Inputs = append(j.Inputs, input{path, f.Size()})
		files = append(files, f)
	}
	return &attempt{job: j, files: files}
}

// taskOf is the task of a job to run, with inputs that the node reads. Its program is an image.
func (w *worker) taskOf() wasm.Task {
	j := w.job
	t := wasm.Task{
		Env: map[string]string{}, Inputs: map[string]wasm.File{}, Seed: j.Seed, MemoryKey: j.MemoryKey, Limits: j.Limits,
	}
	for _, arg := range j.Args {
		t.Args = append(t.Args, string(arg))
	}
	for _, variable := range j.Env {
		name, value, _ := strings.Cut(string(variable), "=") // a name has none
		t.Env[name] = value
	}
	if j.Spill.Most > 0 {
		t.Spill = wasm.Spill{Disk: w.spill, After: j.Spill.After}
	}
	cache := &readAhead{fetch: w.fetch}
	for i, in := range j.Inputs {
		t.Inputs[in.Path] = &remoteFile{cache: cache, index: uint32(i), size: in.Size}
	}
	return t
}
