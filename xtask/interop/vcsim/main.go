// A vSphere simulator of govmomi's, on a free port of 127.0.0.1, over TLS unless -plain is given.
// It prints HOST:PORT when it listens. For each line of its standard input, the name of a virtual machine, it prints
// what that has; it ends when its standard input does.
package main

import (
	"bufio"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func main() {
	esx := flag.Bool("esx", false, "simulate an ESX host instead of a vCenter")
	machines := flag.Int("machines", 2, "how many virtual machines each host or resource pool has")
	mounts := flag.Bool("mounts", false, "let hosts tell that they have mounted their datastores")
	networks := flag.Bool("networks", false, "let hosts tell what networks they have, after changes too")
	plain := flag.Bool("plain", false, "HTTP instead of HTTPS")
	libvirt := flag.Bool("libvirt", false, "let libvirt understand the answers, and machines have VMX files")
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
	if *networks {
		connect()
	}

	if !*plain {
		model.Service.TLS = new(tls.Config)
	}
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword("user", "pass")}
	server := model.Service.NewServer()
	defer server.Close()
	if *libvirt {
		server.Config.Handler = spellOut(server.Config.Handler)
		if err := writeFiles(); err != nil {
			log.Fatal(err)
		}
	}

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

// Fills in what the model leaves out: that what the network system of a host changes shows in the host's configuration, and
// that a host has the distributed switches whose member it is.
func connect() {
	for _, entity := range simulator.Map.All("HostSystem") {
		host, ok := entity.(*simulator.HostSystem)
		if !ok {
			continue
		}
		system, ok := simulator.Map.Get(*host.ConfigManager.NetworkSystem).(*simulator.HostNetworkSystem)
		if !ok {
			continue
		}
		system.NetworkInfo = host.Config.Network
		own := &networkSystem{system}
		own.fill()
		simulator.Map.Put(own)
		for _, entity := range simulator.Map.All("DistributedVirtualSwitch") {
			dvs, ok := entity.(*simulator.DistributedVirtualSwitch)
			if ok && isMember(dvs, host.Reference()) {
				member := types.HostProxySwitch{DvsUuid: dvs.Uuid, DvsName: dvs.Name, Key: "key-vim.host.ProxySwitch-" + dvs.Uuid}
				system.NetworkInfo.ProxySwitch = append(system.NetworkInfo.ProxySwitch, member)
			}
		}
	}
}

func isMember(dvs *simulator.DistributedVirtualSwitch, host types.ManagedObjectReference) bool {
	for _, member := range dvs.Summary.HostMember {
		if member == host {
			return true
		}
	}
	return false
}

// The network system of a host: what it makes has its specification and a key, and its host has the networks of its port
// groups.
type networkSystem struct {
	*simulator.HostNetworkSystem
}

func (s *networkSystem) AddVirtualSwitch(c *types.AddVirtualSwitch) soap.HasFault {
	answer := s.HostNetworkSystem.AddVirtualSwitch(c)
	if answer.Fault() == nil && c.Spec != nil {
		s.NetworkInfo.Vswitch[len(s.NetworkInfo.Vswitch)-1].Spec = *c.Spec
	}
	s.fill()
	return answer
}

func (s *networkSystem) AddPortGroup(ctx *simulator.Context, c *types.AddPortGroup) soap.HasFault {
	defer s.fill()
	return s.HostNetworkSystem.AddPortGroup(ctx, c)
}

func (s *networkSystem) RemovePortGroup(ctx *simulator.Context, c *types.RemovePortGroup) soap.HasFault {
	defer s.fill()
	return s.HostNetworkSystem.RemovePortGroup(ctx, c)
}

func (s *networkSystem) fill() {
	groups := make(map[string][]string)
	names := make(map[string]bool)
	for i := range s.NetworkInfo.Portgroup {
		group := &s.NetworkInfo.Portgroup[i]
		// The simulator lists port groups of switches by their names.
		group.Key = group.Spec.Name
		groups[group.Spec.VswitchName] = append(groups[group.Spec.VswitchName], group.Key)
		names[group.Spec.Name] = true
	}
	for i := range s.NetworkInfo.Vswitch {
		vswitch := &s.NetworkInfo.Vswitch[i]
		vswitch.Key = "key-vim.host.VirtualSwitch-" + vswitch.Name
		vswitch.Portgroup = groups[vswitch.Name]
		bridge, ok := vswitch.Spec.Bridge.(*types.HostVirtualSwitchBondBridge)
		if ok && len(vswitch.Pnic) == 0 {
			vswitch.Pnic = bridge.NicDevice
		}
	}
	var networks []types.ManagedObjectReference
	for _, network := range s.Host.Network {
		if network.Type != "Network" {
			networks = append(networks, network)
		}
	}
	for _, entity := range simulator.Map.All("Network") {
		network, ok := entity.(*mo.Network)
		if ok && names[network.Name] {
			networks = append(networks, network.Self)
		}
	}
	s.Host.Network = networks
}

// The start of an item of an array, which the simulator sends without its type.
var item = regexp.MustCompile(`<([A-Z][A-Za-z]*)((?: type="[^"]*")?)>`)

// Says the type of every item of an array to libvirt, which refuses an item without. Servers send it. Other clients get what
// the simulator sends.
func spellOut(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.UserAgent(), "libvirt") {
			handler.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		body := item.ReplaceAll(answer.Body.Bytes(), []byte(`<$1 xsi:type="$1"$2>`))
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.Code)
		w.Write(body)
	})
}

// Fills in what the model leaves out: what is in the VMX file of each machine.
func writeFiles() error {
	for _, entity := range simulator.Map.All("VirtualMachine") {
		vm := entity.(*simulator.VirtualMachine)
		store := simulator.Map.Get(vm.Datastore[0]).(*simulator.Datastore)
		var path object.DatastorePath
		path.FromString(vm.Config.Files.VmPathName)
		file := filepath.Join(store.Info.GetDatastoreInfo().Url, path.Path)
		if err := os.WriteFile(file, []byte(vmx(vm)), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func vmx(vm *simulator.VirtualMachine) string {
	return fmt.Sprintf(`.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "13"
displayName = "%s"
guestOS = "other-64"
uuid.bios = "%s"
memSize = "%d"
numvcpus = "%d"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "disk1.vmdk"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "e1000"
ethernet0.connectionType = "bridged"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "generated"
ethernet0.generatedAddress = "00:0c:29:00:00:01"
ethernet0.generatedAddressOffset = "0"
`, vm.Name, vm.Config.Uuid, vm.Config.Hardware.MemoryMB, vm.Config.Hardware.NumCPU)
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
