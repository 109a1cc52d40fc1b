// SPDX-License-Identifier: GPL-3.0-or-later

// VMware's own simulator of a vCenter (Debian's golang-github-vmware-govmomi-dev) with what the tests need: one
// cluster of three hosts, a template "desk" with the snapshot "base", another, "plain", without one, and folders
// "Puesto" and "Templates". Machines that are switched on are given an address, each name its own, as a DHCP
// server and VMware Tools would. Prints "listening PORT".
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// What VMware Tools would say of the guests.
type tools struct {
	mo.ManagedEntity
	mutex     sync.Mutex
	addresses map[string]string
}

func (t *tools) address(name string) string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	name = strings.TrimSuffix(name, ".next")
	if t.addresses[name] == "" {
		n := len(t.addresses) + 1
		t.addresses[name] = fmt.Sprintf("10.9.%d.%d", n/250, n%250+1)
	}
	return t.addresses[name]
}

func (t *tools) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "Tools", Value: "tools"}
}

func (t *tools) PutObject(mo.Reference)                    {}
func (t *tools) RemoveObject(types.ManagedObjectReference) {}
func (t *tools) UpdateObject(obj mo.Reference, changes []types.PropertyChange) {
	for _, c := range changes {
		if c.Name == "runtime.powerState" && obj.Reference().Type == "VirtualMachine" {
			// The machine is locked by who changes it.
			go t.tell(obj.Reference(), c.Val == types.VirtualMachinePowerStatePoweredOn)
		}
	}
}

func (t *tools) tell(ref types.ManagedObjectReference, isOn bool) {
	time.Sleep(20 * time.Millisecond)
	vm, ok := simulator.Map.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	simulator.Map.WithLock(vm, func() {
		address := ""
		if isOn {
			address = t.address(vm.Name)
		}
		simulator.Map.Update(vm, []types.PropertyChange{{Name: "guest.ipAddress", Val: address}})
	})
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func wait(ctx context.Context, task *object.Task, err error) {
	must(err)
	must(task.Wait(ctx))
}

func furnish(ctx context.Context, u *url.URL) {
	client, err := govmomi.NewClient(ctx, u, true)
	must(err)
	finder := find.NewFinder(client.Client, false)
	dc, err := finder.DefaultDatacenter(ctx)
	must(err)
	finder.SetDatacenter(dc)
	folders, err := dc.Folders(ctx)
	must(err)
	_, err = folders.VmFolder.CreateFolder(ctx, "Puesto")
	must(err)
	templates, err := folders.VmFolder.CreateFolder(ctx, "Templates")
	must(err)
	vms, err := finder.VirtualMachineList(ctx, "*")
	must(err)
	for i, name := range []string{"desk", "plain"} {
		task, err := vms[i].Rename(ctx, name)
		wait(ctx, task, err)
		task, err = templates.MoveInto(ctx, []types.ManagedObjectReference{vms[i].Reference()})
		wait(ctx, task, err)
	}
	task, err := vms[0].CreateSnapshot(ctx, "base", "", false, false)
	wait(ctx, task, err)
	pod, err := folders.DatastoreFolder.CreateStoragePod(ctx, "Pod")
	must(err)
	for _, name := range []string{"LocalDS_1", "LocalDS_2"} {
		datastore, err := finder.Datastore(ctx, name)
		must(err)
		task, err := pod.MoveInto(ctx, []types.ManagedObjectReference{datastore.Reference()})
		wait(ctx, task, err)
	}
	_, err = folders.DatastoreFolder.CreateStoragePod(ctx, "Empty")
	must(err)
	must(client.Logout(ctx))
}

func main() {
	address := flag.String("l", "127.0.0.1:0", "where it listens")
	certificate := flag.String("cert", "", "PEM of its certificate")
	key := flag.String("key", "", "PEM of its key")
	esx := flag.Bool("esx", false, "a host alone")
	flag.Parse()
	log.SetOutput(os.Stderr)
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	must(err)
	model := simulator.VPX()
	if *esx {
		model = simulator.ESX()
	} else {
		model.Host = 0
		model.Datastore = 3
	}
	model.Autostart = false
	must(model.Create())
	defer model.Remove()
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	model.Service.Listen = &url.URL{Host: *address, User: url.UserPassword("puesto@vsphere.local", "right&<password>")}
	server := model.Service.NewServer()
	if !*esx {
		simulator.Map.AddHandler(&tools{addresses: make(map[string]string)})
		furnish(context.Background(), server.URL)
	}
	fmt.Println("listening", server.URL.Port())
	select {}
}
