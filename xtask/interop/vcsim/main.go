// A vSphere simulator of govmomi's, over TLS on a free port of 127.0.0.1.
// It prints HOST:PORT when it listens, and ends when its standard input does.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	esx := flag.Bool("esx", false, "simulate an ESX host instead of a vCenter")
	machines := flag.Int("machines", 2, "how many virtual machines each host or resource pool has")
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

	// Without these two NewServer follows nil pointers.
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword("user", "pass")}
	server := model.Service.NewServer()
	defer server.Close()

	fmt.Println(server.URL.Host)
	io.Copy(io.Discard, os.Stdin)
}
