"""Which addresses an import takes, and which networks they may lead to."""

from ipaddress import ip_network

import pytest

from annotations.importers import addresses
from annotations.importers.addresses import AddressError
from annotations.services import storage


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("http://example.org/a.jpg", "example.org", 80, "/a.jpg"),
        ("HTTPS://Example.ORG:8443/a.jpg?size=1&x=%20#top", "example.org", 8443, "/a.jpg?size=1&x=%20"),
        ("https://example.org", "example.org", 443, "/"),
        ("https://bücher.example/ö l.jpg", "xn--bcher-kva.example", 443, "/%C3%B6%20l.jpg"),
        ("http://[2001:DB8:0::1]:81/a", "2001:db8::1", 81, "/a"),
        ("http://10.0.0.1/a", "10.0.0.1", 80, "/a"),
    ],
)
def test_an_address_is_taken_apart(text, host, port, target):
    address = addresses.parse(text)
    assert (address.host, address.port, address.target) == (host, port, target)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org/a.jpg",
        "ftp://example.org/a.jpg",
        "file:///etc/passwd",
        "gopher://example.org/_x",
        "javascript:alert(1)",
        "http:///a.jpg",
        "http://",
        "http://exa mple.org/a.jpg",
        "http://example.org/a\r\nHost: inside",
        "http://example.org\\@inside/a.jpg",
        "http://example.org:99999/a",
        "http://example.org:x/a",
        "http://[::1/a",
        "http://[::1%25eth0]/a",
        "http://[v1.x]/a",
        f"http://{'a' * 64}.org/",
        "http://a..b/",
        "http://-a.org/",
        "http://a/" + "x" * addresses.MAX_CHARS,
    ],
)
def test_what_is_no_web_address_is_refused_with_a_remedy(text):
    with pytest.raises(AddressError) as refused:
        addresses.parse(text)
    assert refused.value.code == "bad_address"
    assert refused.value.message.startswith("Expected")
    assert "Correct the address" in refused.value.message


@pytest.mark.parametrize(
    "text", ["http://me:secret@example.org/a", "http://me@example.org/a", "http://@x.org/"]
)
def test_names_and_passwords_are_refused_and_not_repeated(text):
    with pytest.raises(AddressError) as refused:
        addresses.parse(text)
    assert refused.value.code == "address_with_password"
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("ip", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_the_world_may_be_reached(ip):
    assert addresses.may_be_reached(ip)


@pytest.mark.parametrize(
    "ip",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254"),
        *("100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
        *("255.255.255.255", "192.0.0.8", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1"),
        *("fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8"),
        *("64:ff9b::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1"),
    ],
)
def test_no_other_network_may_be_reached(ip):
    assert not addresses.may_be_reached(ip)


def test_an_operator_can_allow_a_network_and_nothing_beside_it():
    allowed = [ip_network("10.20.0.0/16"), ip_network("fd00:12::/32")]
    assert addresses.may_be_reached("10.20.3.4", allowed)
    assert addresses.may_be_reached("fd00:12::9", allowed)
    assert not addresses.may_be_reached("10.21.3.4", allowed)
    assert not addresses.may_be_reached("::ffff:10.20.3.4", allowed)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://example.org/walk/a%20dog.jpg?size=2", "a dog.jpg"),
        ("http://example.org/walk/", "walk"),
        ("http://example.org", "example.org"),
        ("http://example.org/..%2f..%2fetc%2fpasswd", "passwd"),
        ("http://example.org/%00%0a.jpg", ".jpg"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(text, name):
    assert addresses.name_of(text) == name


def test_a_redirect_is_read_beside_the_address_that_sent_it():
    address = addresses.parse("https://example.org/a/b.jpg")
    assert addresses.Address.follow(address, "../c.jpg").text == "https://example.org/c.jpg"
    assert address.follow("//other.org/c.jpg").text == "https://other.org/c.jpg"
    with pytest.raises(AddressError, match="http:// or https://"):
        address.follow("file:///etc/passwd")


def test_a_bad_address_in_a_list_is_named_and_the_rest_stays():
    batch = addresses.read_urls(["http://example.org/a.jpg", "nonsense", 7, " http://example.org/b.jpg "])
    assert [(file.name, file.key) for file in batch.files] == [
        ("a.jpg", f"{storage.WEB_ADDRESS}http://example.org/a.jpg"),
        ("b.jpg", f"{storage.WEB_ADDRESS}http://example.org/b.jpg"),
    ]
    assert [(error.item, error.code) for error in batch.errors] == [
        ("nonsense", "bad_address"),
        ("urls[2]", "bad_address"),
    ]
