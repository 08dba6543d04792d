// A vSphere simulator of govmomi's, over TLS on a free port of 127.0.0.1.
// It prints HOST:PORT when it listens. For each line of its standard input, the name of a virtual machine, it prints
// what that has; it ends when its standard input does.
package main

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

func main() {
	esx := flag.Bool("esx", false, "simulate an ESX host instead of a vCenter")
	machines := flag.Int("machines", 2, "how many virtual machines each host or resource pool has")
	mounts := flag.Bool("mounts", false, "let hosts tell that they have mounted their datastores")
	flag.Parse()

	model := simulator.VPX()
	if *esx {
		model = simulator.ESX()
	}
	model.Machine = *machines
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()
	if *mounts {
		mount()
	}

	// Without these two NewServer follows nil pointers.
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword("user", "pass")}
	server := model.Service.NewServer()
	defer server.Close()

	fmt.Println(server.URL.Host)
	for names := bufio.NewScanner(os.Stdin); names.Scan(); {
		fmt.Println(describe(names.Text()))
	}
}

// Fills in what the model leaves out: that every host has mounted its datastores. The model says so of one host of a
// datastore, without a path.
func mount() {
	for _, entity := range simulator.Map.All("HostSystem") {
		host, ok := entity.(*simulator.HostSystem)
		if !ok {
			continue
		}
		for _, ref := range host.Datastore {
			store := simulator.Map.Get(ref).(*simulator.Datastore)
			if isMounted(store, entity.Reference()) {
				continue
			}
			yes := true
			store.Host = append(store.Host, types.DatastoreHostMount{
				Key: entity.Reference(),
				MountInfo: types.HostMountInfo{
					Path:       "/vmfs/volumes/" + store.Name,
					AccessMode: "readWrite",
					Mounted:    &yes,
					Accessible: &yes,
				},
			})
		}
	}
}

func isMounted(store *simulator.Datastore, host types.ManagedObjectReference) bool {
	for _, mount := range store.Host {
		if mount.Key == host {
			return true
		}
	}
	return false
}

// Memory, processors, disks and network cards of the machine with that name, on one line.
func describe(name string) string {
	for _, entity := range simulator.Map.All("VirtualMachine") {
		vm, ok := entity.(*simulator.VirtualMachine)
		if !ok || vm.Name != name {
			continue
		}
		hardware := vm.Config.Hardware
		parts := []string{
			fmt.Sprintf("%d MB", hardware.MemoryMB),
			fmt.Sprintf("%d CPUs", hardware.NumCPU),
		}
		for _, device := range hardware.Device {
			switch device := device.(type) {
			case *types.VirtualDisk:
				backing := device.Backing.(types.BaseVirtualDeviceFileBackingInfo)
				parts = append(parts, "disk "+backing.GetVirtualDeviceFileBackingInfo().FileName)
			case types.BaseVirtualEthernetCard:
				card := device.GetVirtualEthernetCard()
				plugged := card.Connectable == nil || card.Connectable.StartConnected
				parts = append(parts, fmt.Sprintf("card %s plugged=%t", card.MacAddress, plugged))
			}
		}
		return strings.Join(parts, ", ")
	}
	return "no such machine"
}
