//! The VI (vSphere Web Services) API's types, encoded to and decoded from SOAP.
