// The jobs of benches/peers/run with govmomi: the shortest way that its packages offer.
//
//	govmomi URL JOB [NAME], with the password in PASSWORD
//	govmomi decode FILE
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"net/url"
	"os"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

func main() {
	if os.Args[1] == "decode" {
		if err := decode(os.Args[2]); err != nil {
			log.Fatal(err)
		}
		return
	}
	server, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server.User = url.UserPassword(server.User.Username(), os.Getenv("PASSWORD"))
	ctx := context.Background()
	client, err := govmomi.NewClient(ctx, server, true)
	if err != nil {
		log.Fatal(err)
	}
	if err := job(ctx, client, os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	if err := client.Logout(ctx); err != nil {
		log.Fatal(err)
	}
}

func job(ctx context.Context, client *govmomi.Client, words []string) error {
	switch words[0] {
	case "connect":
		return nil
	case "list":
		return list(ctx, client)
	case "all":
		return all(ctx, client)
	case "one":
		return one(ctx, client, words[1])
	case "cycle":
		return cycle(ctx, client, words[1])
	}
	return fmt.Errorf("no job %q", words[0])
}

// The names and states of all machines.
func list(ctx context.Context, client *govmomi.Client) error {
	machines, err := machines(ctx, client, []string{"name", "runtime.powerState"})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, machine := range machines {
		fmt.Fprintln(out, machine.Self.Value, machine.Name, machine.Runtime.PowerState)
	}
	return out.Flush()
}

// All that there is to know of all machines.
func all(ctx context.Context, client *govmomi.Client) error {
	machines, err := machines(ctx, client, []string{"config", "runtime", "guest"})
	if err != nil {
		return err
	}
	devices := 0
	for _, machine := range machines {
		devices += len(machine.Config.Hardware.Device)
	}
	fmt.Println(len(machines), "machines,", devices, "devices")
	return nil
}

func machines(ctx context.Context, client *govmomi.Client, properties []string) ([]mo.VirtualMachine, error) {
	manager := view.NewManager(client.Client)
	found, err := manager.CreateContainerView(ctx, client.ServiceContent.RootFolder, []string{"VirtualMachine"}, true)
	if err != nil {
		return nil, err
	}
	defer found.Destroy(ctx)
	var machines []mo.VirtualMachine
	err = found.Retrieve(ctx, []string{"VirtualMachine"}, properties, &machines)
	return machines, err
}

// What one machine is.
func one(ctx context.Context, client *govmomi.Client, name string) error {
	vm, err := machine(ctx, client, name)
	if err != nil {
		return err
	}
	var properties mo.VirtualMachine
	if err := vm.Properties(ctx, vm.Reference(), []string{"config", "runtime.powerState"}, &properties); err != nil {
		return err
	}
	fmt.Println(properties.Config.Name, properties.Config.Uuid, properties.Runtime.PowerState)
	return nil
}

func cycle(ctx context.Context, client *govmomi.Client, name string) error {
	vm, err := machine(ctx, client, name)
	if err != nil {
		return err
	}
	for _, change := range []func(context.Context) (*object.Task, error){vm.PowerOff, vm.PowerOn} {
		task, err := change(ctx)
		if err != nil {
			return err
		}
		if err := task.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A machine in the folder of the only datacenter. The package find would read all machines first.
func machine(ctx context.Context, client *govmomi.Client, name string) (*object.VirtualMachine, error) {
	datacenter, err := find.NewFinder(client.Client).DefaultDatacenter(ctx)
	if err != nil {
		return nil, err
	}
	folders, err := datacenter.Folders(ctx)
	if err != nil {
		return nil, err
	}
	found, err := object.NewSearchIndex(client.Client).FindChild(ctx, folders.VmFolder, name)
	if err != nil {
		return nil, err
	}
	vm, ok := found.(*object.VirtualMachine)
	if !ok {
		return nil, fmt.Errorf("no machine %q", name)
	}
	return vm, nil
}

// Decodes an answer of RetrievePropertiesEx, from memory, and prints the seconds that the faster of two rounds took.
func decode(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	best := time.Duration(math.MaxInt64)
	for round := 0; round < 2; round++ {
		begin := time.Now()
		decoder := xml.NewDecoder(bytes.NewReader(text))
		decoder.TypeFunc = types.TypeFunc()
		body := methods.RetrievePropertiesExBody{}
		if err := decoder.Decode(&soap.Envelope{Body: &body}); err != nil {
			return err
		}
		if took := time.Since(begin); took < best {
			best = took
		}
		if body.Res == nil || len(body.Res.Returnval.Objects) == 0 {
			return errors.New("the answer has no objects")
		}
	}
	fmt.Println(best.Seconds())
	return nil
}
