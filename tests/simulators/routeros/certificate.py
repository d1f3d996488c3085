"""TLS for api-ssl: a self-signed certificate made on the spot, or none as on a fresh router."""

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path


def server_context(kind):
    """Return (SSLContext of the server, file with what clients have to trust or None)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if kind == "anonymous":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AECDH:ADH:@SECLEVEL=0")
        return context, None
    folder = Path(tempfile.mkdtemp(prefix="routeros-"))
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    write_certificate(certificate, key)
    context.load_cert_chain(certificate, key)
    key.unlink()
    return context, certificate


def write_certificate(certificate_file, key_file):
    """Write a certificate for 127.0.0.1 and localhost, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "router.test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
