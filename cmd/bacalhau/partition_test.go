//go:build netns

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestPartition has each node of a network in a network namespace of its own, behind a slow link, and cuts links while
// jobs are done of which every piece is checked. Every job ends as if nothing had been. The test must be alone in a
// network namespace of which it is root: see make test-partition.
func TestPartition(t *testing.T) {
	l := newLAN(t)
	k := newTrial(newSwarmAt(t, l.next, 4))
	for i := range *kills {
		k.disturb(l.cut(k, i), 8*time.Second)
	}
	k.finish("links cut")
}

const (
	subnet = "10.77.0."
	rate   = "4mbit" // of each link, in each direction
)

// lan is a bridge with links to network namespaces.
type lan struct {
	testing.TB
	hosts int
}

func newLAN(t testing.TB) *lan {
	l := &lan{TB: t, hosts: 1}
	l.run("ip link set lo up")
	l.run("ip link add bridge type bridge")
	l.run("ip address add " + subnet + "1/24 dev bridge")
	l.run("ip link set bridge up")
	return l
}

func (l *lan) run(command string) {
	l.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		l.Fatalf("%s: %v: %s", command, err, out)
	}
}

// next is a new namespace at the end of a new link.
func (l *lan) next() place {
	l.Helper()
	holder := exec.Command("unshare", "--net", "sh", "-c", "echo; exec sleep infinity")
	begun, err := holder.StdoutPipe()
	if err != nil {
		l.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() {
		holder.Process.Kill()
		holder.Wait()
	})
	if _, err := begun.Read(make([]byte, 1)); err != nil {
		l.Fatal(err)
	}
	l.hosts++
	h := &host{
		namespace: fmt.Sprintf("--net=/proc/%d/ns/net", holder.Process.Pid), link: fmt.Sprintf("host%d", l.hosts),
		ip: fmt.Sprint(subnet, l.hosts), port: 1024,
	}
	inside := "nsenter " + h.namespace + " "
	l.run(fmt.Sprintf("ip link add %s type veth peer name eth0 netns %d", h.link, holder.Process.Pid))
	l.run("ip link set " + h.link + " master bridge up")
	l.run(inside + "ip address add " + h.ip + "/24 dev eth0")
	l.run(inside + "ip link set lo up")
	l.run(inside + "ip link set eth0 up")
	l.run("tc qdisc add dev " + h.link + " root tbf rate " + rate + " burst 32kb latency 400ms")
	l.run(inside + "tc qdisc add dev eth0 root tbf rate " + rate + " burst 32kb latency 400ms")
	return h
}

// host is a place in a namespace.
type host struct {
	namespace, link, ip string
	port                int
}

func (h *host) address() string {
	h.port++
	return fmt.Sprintf("%s:%d", h.ip, h.port)
}

func (h *host) program(args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{h.namespace, os.Args[0]}, args...)...)
	cmd.Env = program().Env
	return cmd
}

// cut takes in turn a compute node, the requester and the chain off the net, and all of them but the chain from each
// other.
func (l *lan) cut(k *trial, turn int) disturbance {
	links := func(command string, daemons ...*daemon) func() {
		return func() {
			for _, d := range daemons {
				l.run(fmt.Sprintf(command, d.place.(*host).link))
			}
		}
	}
	const down, up = "ip link set %s down", "ip link set %s up"
	switch turn % 4 {
	case 0:
		node := k.nodes[k.random.IntN(len(k.nodes))]
		return disturbance{"compute node", links(down, node), links(up, node)}
	case 1:
		return disturbance{"requester", links(down, k.requester), links(up, k.requester)}
	case 2:
		return disturbance{"chain", links(down, k.chain), links(up, k.chain)}
	default:
		apart := k.all()[1:]
		return disturbance{"from each other",
			links("bridge link set dev %s isolated on", apart...), links("bridge link set dev %s isolated off", apart...)}
	}
}
