"""Passes what arrives over TLS on to a server without it, so that servers can be met whose certificates and versions of TLS
ours does not have. Prints a line with its port when it listens.

terminator.py PORT CERTIFICATE KEY [OLDEST [NEWEST [CIPHERS]]], versions as in TLSv1_2; CIPHERS as OpenSSL lists them."""
import socket
import ssl
import sys
import threading


def pass_on(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except (OSError, ValueError):
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(context, client, port):
    try:
        client = context.wrap_socket(client, server_side=True)
    except OSError:
        # The client says what it did not like.
        return client.close()
    server = socket.create_connection(("127.0.0.1", port))
    back = threading.Thread(target=pass_on, args=(server, client), daemon=True)
    back.start()
    pass_on(client, server)
    back.join()
    client.close()
    server.close()


def main():
    port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    oldest, newest, ciphers = (sys.argv[4:] + ["TLSv1_2", "TLSv1_3", "DEFAULT"][len(sys.argv) - 4:])[:3]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # OpenSSL's own level refuses the keys and versions of old hosts.
    context.set_ciphers(ciphers + ":@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion[oldest]
    context.maximum_version = ssl.TLSVersion[newest]
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(context, client, port), daemon=True).start()


main()
