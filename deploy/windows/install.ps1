# SPDX-License-Identifier: GPL-3.0-or-later
<#
.SYNOPSIS
  Puts Puesto's agent into this Windows: the program, its service, Remote Desktop and its firewall rule.
.PARAMETER RdpPort
  Where Remote Desktop answers, when it is not 3389.
.PARAMETER Key
  ecdsa, or rsa where Windows' TLS takes no EC keys.
.PARAMETER NoFence
  Remote log-ons that the broker did not send are left alone.
.PARAMETER Uninstall
  Takes the agent away again; Remote Desktop stays as it is.
#>
[CmdletBinding()]
param(
	[ValidateRange(1, 65535)] [int] $RdpPort = 3389,
	[ValidateSet('ecdsa', 'rsa')] [string] $Key = 'ecdsa',
	[switch] $NoFence,
	[switch] $Uninstall
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$folder = Join-Path $env:ProgramFiles 'Puesto'
$program = Join-Path $folder 'puesto-agent.exe'

function Invoke-Agent([string[]] $Words) {
	& $program @Words
	if ($LASTEXITCODE -ne 0) {
		throw "puesto-agent $Words ended with $LASTEXITCODE"
	}
}

$me = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
	throw 'This is for an administrator: start PowerShell with "Run as administrator".'
}

if ($Uninstall) {
	if (Test-Path $program) {
		Invoke-Agent @('--uninstall')
		Invoke-Agent @('--forget')
		Remove-Item -Recurse -Force $folder
	}
	Write-Output 'The agent is gone.'
	exit 0
}

# A running service holds its program.
if (Get-Service -Name PuestoAgent -ErrorAction SilentlyContinue) {
	Stop-Service -Name PuestoAgent
}
New-Item -ItemType Directory -Force -Path $folder | Out-Null
foreach ($name in 'puesto-agent.exe', 'prepare.ps1', 'unattend-clone.xml') {
	Copy-Item -Force (Join-Path $PSScriptRoot $name) $folder
}
Invoke-Agent @('--install')

# The agent makes its folder with rights for SYSTEM alone: settings are written by SYSTEM, too, through a task that runs once.
$settings = @{ rdp_port = $RdpPort; key = $Key; fence = -not $NoFence } | ConvertTo-Json -Compress
if ($settings -ne (@{ rdp_port = 3389; key = 'ecdsa'; fence = $true } | ConvertTo-Json -Compress)) {
	$text = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($settings))
	$line = "`$d = Join-Path `$env:ProgramData 'Puesto'; New-Item -ItemType Directory -Force `$d | Out-Null; " +
		"[IO.File]::WriteAllBytes((Join-Path `$d 'settings.json'), [Convert]::FromBase64String('$text'))"
	$encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($line))
	$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -EncodedCommand $encoded"
	Register-ScheduledTask -TaskName 'Puesto settings' -Action $action -User 'SYSTEM' -RunLevel Highest -Force | Out-Null
	Start-ScheduledTask -TaskName 'Puesto settings'
	while ((Get-ScheduledTask -TaskName 'Puesto settings').State -eq 'Running') {
		Start-Sleep -Milliseconds 200
	}
	Unregister-ScheduledTask -TaskName 'Puesto settings' -Confirm:$false
}

# Remote Desktop by TLS with network level authentication, and the way to it.
$server = 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server'
Set-ItemProperty -Path $server -Name fDenyTSConnections -Value 0 -Type DWord
Set-ItemProperty -Path "$server\WinStations\RDP-Tcp" -Name UserAuthentication -Value 1 -Type DWord
Set-ItemProperty -Path "$server\WinStations\RDP-Tcp" -Name SecurityLayer -Value 2 -Type DWord
if ($RdpPort -eq 3389) {
	Enable-NetFirewallRule -Group '@FirewallAPI.dll,-28752'
} else {
	Set-ItemProperty -Path "$server\WinStations\RDP-Tcp" -Name PortNumber -Value $RdpPort -Type DWord
	New-NetFirewallRule -DisplayName 'Puesto: Remote Desktop' -Direction Inbound -Protocol TCP -LocalPort $RdpPort -Action Allow | Out-Null
}

# A desktop that falls asleep is one that nobody reaches.
powercfg.exe /change standby-timeout-ac 0
powercfg.exe /change hibernate-timeout-ac 0

# Where it finds a TPM and Secure Boot, Windows may encrypt its disk by itself: every clone would write the whole of it anew.
$encryption = 'HKLM:\SYSTEM\CurrentControlSet\Control\BitLocker'
if (-not (Test-Path $encryption)) {
	New-Item -Path $encryption | Out-Null
}
Set-ItemProperty -Path $encryption -Name PreventDeviceEncryption -Value 1 -Type DWord

Start-Service -Name PuestoAgent
Write-Output 'The agent is installed. When the image is as you want it, run prepare.ps1.'
