package rewrite

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// suite runs scripts and counts what became of their commands.
type suite struct {
	t       *testing.T
	version string
	engines []suiteEngine
	counts  map[string]int

	path    string
	modules map[string]*suiteModuleRun
	linked  map[string]bool // modules that others may import functions from
	last    *suiteModuleRun
}

// suiteModuleRun is a module on every engine, or why it does not run.
type suiteModuleRun struct {
	rewritten []byte
	onlyFuncs bool // it exports nothing else
	imports   bool
	instances []suiteInstance
	excluded  string
	wrapped   map[string]functype // exports that take or give vectors
}

// suiteEngine instantiates rewritten modules. Its hosts are the suite's
// printing functions, which do nothing, and the meter.
type suiteEngine interface {
	name() string
	instantiate(wasm []byte) (suiteInstance, error)
	// link makes an instance that others import functions from.
	link(name string, wasm []byte) error
}

// suiteInstance calls exports. References are 0 for null and else one more than
// the host's number, as in the scripts.
type suiteInstance interface {
	invoke(name string, args []uint64) ([]uint64, error)
	global(name string) (uint64, error)
	setFuel(fuel int64) error
}

type suiteScript struct {
	Commands []suiteCommand `json:"commands"`
}

type suiteCommand struct {
	Type       string       `json:"type"`
	Line       int          `json:"line"`
	Name       string       `json:"name"`
	As         string       `json:"as"`
	Filename   string       `json:"filename"`
	ModuleType string       `json:"module_type"`
	Action     suiteAction  `json:"action"`
	Expected   []suiteValue `json:"expected"`
}

type suiteAction struct {
	Type   string       `json:"type"`
	Module string       `json:"module"`
	Field  string       `json:"field"`
	Args   []suiteValue `json:"args"`
}

func (s *suite) script(path string) {
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	var script suiteScript
	if err := json.Unmarshal(b, &script); err != nil {
		s.t.Fatal(path, err)
	}
	s.path, s.modules, s.last = path, map[string]*suiteModuleRun{}, nil
	s.linked = map[string]bool{}
	for _, c := range script.Commands {
		s.counts[c.Type+": "+s.command(c)]++
	}
}

func (s *suite) errorf(c suiteCommand, format string, args ...any) string {
	s.t.Errorf("%s:%d %s: %s", filepath.Base(s.path), c.Line, c.Type, fmt.Sprintf(format, args...))
	return "failed"
}

// command runs one command and says what became of it.
func (s *suite) command(c suiteCommand) string {
	switch c.Type {
	case "module":
		return s.module(c)
	case "assert_invalid", "assert_malformed":
		if c.ModuleType == "text" {
			return "excluded, in the text format"
		}
		switch err := Validate(s.file(c)); {
		case validSince2[c.Filename] && s.version == "v1" && err == nil:
			return "excluded, valid since 2.0"
		case err == nil:
			return s.errorf(c, "%s passes", c.Filename)
		}
		return "refused"
	case "assert_uninstantiable":
		m, err := suiteRead(s.file(c))
		if err != nil {
			return s.errorf(c, "%v", err)
		}
		switch reason := s.excluded(m); reason {
		case outside:
			return "refused"
		case "":
			return s.errorf(c, "the profile takes it")
		default:
			return reason
		}
	case "register":
		return s.register(c)
	case "assert_unlinkable":
		return links
	case "action", "assert_return", "assert_trap", "assert_exhaustion":
		return s.action(c)
	}
	return s.errorf(c, "unknown command")
}

// named returns the module of a name, or the last one.
func (s *suite) named(name string) *suiteModuleRun {
	if name == "" {
		return s.last
	}
	return s.modules[name]
}

// register lets modules that follow import functions, from an instance of their
// own. What is shared otherwise is not for the profile.
func (s *suite) register(c suiteCommand) string {
	m := s.named(c.Name)
	if m.excluded != "" {
		return m.excluded
	}
	if !m.onlyFuncs {
		m.excluded = links
		return links
	}
	for _, e := range s.engines {
		if err := e.link(c.As, m.rewritten); err != nil {
			return s.errorf(c, "%s: %v", e.name(), err)
		}
	}
	s.linked[c.As] = true
	return "run"
}

// onlyFuncs says whether a module exports nothing but functions.
func onlyFuncs(m *Module) bool {
	r := m.section(secExport)
	for n := r.count(); n > 0; n-- {
		r.name()
		if kind := r.byte(); kind != externFunc {
			return false
		}
		r.u32()
	}
	return true
}

func (s *suite) file(c suiteCommand) []byte {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(s.path), c.Filename))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func suiteRead(wasm []byte) (m *Module, err error) {
	defer caught(&err)
	return read(wasm), nil
}

const (
	links   = "excluded, links modules"
	outside = "excluded, its segments lie outside"
)

// excluded says why a valid module is not for the profile, apart from not
// being a command.
func (s *suite) excluded(m *Module) string {
	r := m.section(secImport)
	for n := r.count(); n > 0; n-- {
		module, name, kind := r.name(), r.name(), r.byte()
		switch {
		case kind != externFunc:
			return "excluded, imports more than functions"
		case !s.linked[module] && (module != "spectest" || !strings.HasPrefix(name, "print")):
			return links
		}
		r.u32()
	}
	if m.sections[secStart] != nil {
		return "excluded, has a start section"
	}
	var err error
	func() {
		defer caught(&err)
		m.checkBounds()
	}()
	if err != nil {
		return outside
	}
	return ""
}

func (s *suite) module(c suiteCommand) string {
	s.last = &suiteModuleRun{}
	if c.Name != "" {
		s.modules[c.Name] = s.last
	}
	wasm := s.file(c)
	m, err := suiteRead(wasm)
	if err != nil && strings.Contains(err.Error(), "shortest form") {
		s.last.excluded = "excluded, an opcode is not in its shortest form"
		return s.last.excluded
	}
	if err != nil {
		return s.errorf(c, "a valid module is refused: %v", err)
	}
	if s.last.excluded = s.excluded(m); s.last.excluded != "" {
		return s.last.excluded
	}
	if wasm, s.last.wrapped = wrapVectors(m); len(s.last.wrapped) > 0 {
		if m, err = suiteRead(wasm); err != nil {
			return s.errorf(c, "wrapped: %v", err)
		}
	}
	rewritten, err := m.Rewrite(MaxPages)
	if err == nil {
		err = Validate(rewritten)
	}
	if err != nil {
		return s.errorf(c, "rewritten: %v", err)
	}
	s.last.rewritten, s.last.onlyFuncs, s.last.imports = rewritten, onlyFuncs(m), m.imported > 0
	return s.instantiate(c, s.last)
}

func (s *suite) instantiate(c suiteCommand, m *suiteModuleRun) string {
	m.instances = nil
	for _, e := range s.engines {
		instance, err := e.instantiate(m.rewritten)
		if err != nil {
			return s.errorf(c, "%s: %v", e.name(), err)
		}
		m.instances = append(m.instances, instance)
	}
	return "run"
}

// suiteFuel is more than any test uses.
const suiteFuel = 1 << 50

func (s *suite) action(c suiteCommand) string {
	m := s.named(c.Action.Module)
	switch {
	case m.excluded != "":
		return m.excluded
	case len(m.instances) < len(s.engines):
		return s.errorf(c, "its module does not run")
	}
	var fuel []uint64
	for i, instance := range m.instances {
		have, left, err := s.act(c.Action, m, instance)
		if problem := c.judge(have, err); problem != "" {
			return s.errorf(c, "%s: %s: %s", s.engines[i].name(), c.Action.Field, problem)
		}
		fuel = append(fuel, suiteFuel-left)
	}
	// A trap leaves what was paid before, and another module pays for itself.
	if free := c.Action.Type == "get" || c.Type == "assert_trap" || m.imports; fuel[0] != fuel[len(fuel)-1] || (fuel[0] == 0 && !free) {
		return s.errorf(c, "fuel used is %d", fuel)
	}
	if c.Type == "assert_exhaustion" { // the stack stays used up
		return s.instantiate(c, m)
	}
	return "run"
}

func (s *suite) act(a suiteAction, m *suiteModuleRun, instance suiteInstance) (results []uint64, fuel uint64, err error) {
	if err := instance.setFuel(suiteFuel); err != nil {
		s.t.Fatal(err)
	}
	if a.Type == "get" {
		var v uint64
		v, err = instance.global(a.Field)
		results = []uint64{v}
	} else {
		name := a.Field
		if _, ok := m.wrapped[name]; ok {
			name = wrapperName(name)
		}
		var args []uint64
		for _, v := range a.Args {
			args = append(args, v.words()...)
		}
		results, err = instance.invoke(name, args)
	}
	fuel, globalErr := instance.global(FuelExport)
	if globalErr != nil {
		s.t.Fatal(globalErr)
	}
	return results, fuel, err
}

// judge returns what is wrong with the outcome of an action, if anything is.
func (c *suiteCommand) judge(have []uint64, err error) string {
	switch stack := err != nil && strings.Contains(err.Error(), stackText); {
	case c.Type == "assert_exhaustion" && stack, c.Type == "assert_trap" && err != nil && !stack:
		return ""
	case c.Type == "assert_exhaustion" || c.Type == "assert_trap" || err != nil:
		return fmt.Sprintf("gives %v and ends with %v", have, err)
	case c.Type == "action":
		return ""
	}
	for _, want := range c.Expected {
		n := len(want.words())
		if n > len(have) || !want.matches(have[:n]) {
			return fmt.Sprintf("gives %x and not %v", have, c.Expected)
		}
		have = have[n:]
	}
	if len(have) > 0 {
		return fmt.Sprintf("gives %x too many", have)
	}
	return ""
}

// stackText is what a host says that ends a run because of StopStack.
const stackText = "the stack budget is used up"

// suiteMeter answers rewritten code. It returns an error for the host to end
// the run with.
func suiteMeter(reason uint32) error {
	switch reason {
	case StopStack:
		return errors.New(stackText)
	case StopMemory:
		return errors.New("the engine refused memory")
	}
	return errors.New("out of fuel")
}

func (s *suite) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(s.counts)) {
		fmt.Fprintf(w, "%6d\t%s\n", s.counts[name], name)
	}
	w.Flush()
	return b.String()
}
