use xmltree::Element;

use crate::{
    secret::SecretLookup,
    words::words,
    xml::{Build, Node, XmlError, broken},
};

words! {
    /// The format of an encryption.
    #[derive(Default)]
    pub enum EncryptionFormat {
        #[default]
        Default = "default",
        Qcow = "qcow",
        Luks = "luks",
        Luks2 = "luks2",
    }
}

words! {
    /// What encrypts and decrypts.
    pub enum EncryptionEngine {
        Qemu = "qemu",
        Librbd = "librbd",
    }
}

/// How a volume is encrypted: `<encryption>` (libvirt's `virStorageEncryption`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encryption {
    /// The format.
    pub format: EncryptionFormat,
    /// What encrypts and decrypts.
    pub engine: Option<EncryptionEngine>,
    /// The passphrases, by the secrets that have them.
    pub secrets: Vec<SecretLookup>,
    /// The cipher; format `luks` only.
    pub cipher: Option<EncryptionCipher>,
    /// How initialization vectors are made; only with a cipher.
    pub ivgen: Option<EncryptionIvgen>,
    #[doc(hidden)]
    pub _more: (),
}

/// A cipher: `<cipher>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncryptionCipher {
    /// The name, such as `aes`.
    pub name: String,
    /// The size of the key, in bits.
    pub size: u32,
    /// The mode, such as `xts`.
    pub mode: Option<String>,
    /// The hash, such as `sha256`.
    pub hash: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// How initialization vectors are made: `<ivgen>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EncryptionIvgen {
    /// The name, such as `plain64`.
    pub name: String,
    /// The hash, such as `sha256`.
    pub hash: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl Encryption {
    /// libvirt 9.0's `virStorageEncryptionParseNode`.
    pub(super) fn read(mut node: Node<'_>) -> Result<Encryption, XmlError> {
        let Some(word) = node.filled("format") else {
            return Err(node.error("unknown volume encryption format"));
        };
        let Some(format) = EncryptionFormat::from_word(&word) else {
            let message = format!("unknown volume encryption format type {word}");
            return Err(node.unsupported(message));
        };
        let mut encryption = Encryption {
            format,
            engine: node.word("engine")?,
            ..Encryption::default()
        };
        for mut secret in node.children("secret") {
            match secret.filled("type").as_deref() {
                Some("passphrase") => {}
                Some(other) => {
                    let message = format!("unknown volume encryption secret type {other}");
                    return Err(secret.unsupported(message));
                }
                None => return Err(secret.error("unknown volume encryption secret type")),
            }
            encryption.secrets.push(SecretLookup::read(&mut secret)?);
        }
        if format == EncryptionFormat::Luks {
            let ivgen = node.child("ivgen");
            encryption.cipher = node
                .child("cipher")
                .map(EncryptionCipher::read)
                .transpose()?;
            if ivgen.is_some() && encryption.cipher.is_none() {
                return Err(node.error("ivgen element found, but cipher is missing"));
            }
            encryption.ivgen = ivgen.map(EncryptionIvgen::read).transpose()?;
        }
        Ok(encryption)
    }

    pub(super) fn to_element(&self) -> Element {
        let secrets = self.secrets.iter().map(|secret| {
            let element = Element::new("secret").attr("type", "passphrase");
            secret.write(element)
        });
        let cipher = self.cipher.as_ref().map(|cipher| {
            Element::new("cipher")
                .attr("name", &cipher.name)
                .attr("size", cipher.size)
                .maybe_attr("mode", cipher.mode.as_ref())
                .maybe_attr("hash", cipher.hash.as_ref())
        });
        let ivgen = self.ivgen.as_ref().map(|ivgen| {
            Element::new("ivgen")
                .attr("name", &ivgen.name)
                .maybe_attr("hash", ivgen.hash.as_ref())
        });
        broken(
            Element::new("encryption")
                .attr("format", self.format)
                .maybe_attr("engine", self.engine)
                .children(secrets)
                .children(cipher)
                .children(ivgen),
        )
    }
}

impl EncryptionCipher {
    fn read(mut node: Node<'_>) -> Result<EncryptionCipher, XmlError> {
        let Some(name) = node.attr("name") else {
            return Err(node.error("cipher info missing 'name' attribute"));
        };
        let Some(size) = node.number("size")? else {
            return Err(node.missing("size"));
        };
        Ok(EncryptionCipher {
            name,
            size,
            mode: node.attr("mode"),
            hash: node.attr("hash"),
            _more: (),
        })
    }
}

impl EncryptionIvgen {
    fn read(mut node: Node<'_>) -> Result<EncryptionIvgen, XmlError> {
        let Some(name) = node.attr("name") else {
            return Err(node.error("missing ivgen info name string"));
        };
        Ok(EncryptionIvgen {
            name,
            hash: node.attr("hash"),
            _more: (),
        })
    }
}
