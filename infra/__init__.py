"""Infrastructure: what is deployed to Azure, and `infra.local`, the stand-in for Azure on this machine."""
